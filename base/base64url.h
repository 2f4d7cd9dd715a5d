/* base64url without padding (RFC 4648 §5), strict: one text per value, so a token has one spelling.
 */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include "base/str.h"

/* Characters that n bytes take. */
#define BASE64URL_LEN(n) (((n)*8 + 5) / 6)

/* out: BASE64URL_LEN(n) + 1 bytes; NUL-terminated. */
void base64url_encode(const void *p, size_t n, char *out);

/* Bytes that `text` stands for, or -1 when it is not strict base64url: foreign characters, padding,
 * an impossible length, or spare bits that are not zero. out: text.n * 3 / 4 bytes; NULL only
 * checks and counts. */
ptrdiff_t base64url_decode(struct str text, unsigned char *out);

#endif
