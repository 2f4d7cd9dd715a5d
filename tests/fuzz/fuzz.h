/* What the fuzz targets share. A target is one file: libFuzzer calls its fuzz() with bytes that
 * nobody has checked. It must come back, leak nothing, trip no sanitizer, and hold what it CLAIMs.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

void fuzz(struct str input);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

inline int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz((struct str){(const char *)bytes, n});
    return 0;
}

/* Something that must be so for every input. */
#define CLAIM(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
