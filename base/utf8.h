/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

/* Length in bytes of the valid UTF-8 at the start of s; s.n = all of it. */
size_t utf8_valid(struct str s);

/* Bytes (1..4) of the character at p < end; 0 = invalid, -1 = good so far but cut off by the end.
 */
int utf8_length(const char *p, const char *end);
/* The character of n = utf8_length() bytes at p. */
uint32_t utf8_decode(const char *p, int n);
/* Writes 1..4 bytes and returns how many. c is a character, no surrogate. */
size_t utf8_encode(uint32_t c, char out[4]);

#endif
