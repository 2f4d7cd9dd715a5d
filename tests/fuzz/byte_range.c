/* A Range header; the first byte says how large the content is. */
#include "annotate-server/http/byte_range.h"
#include "fuzz.h"

void fuzz(struct str input)
{
    struct byte_range range;

    if (input.n < 1)
        return;
    int64_t size = (int64_t)1 << ((unsigned char)input.p[0] % 63);
    size -= input.p[0] < 0;
    enum err e = byte_range_parse((struct str){input.p + 1, input.n - 1}, size, &range);
    if (e) {
        CLAIM(e == ERR_RANGE);
    } else {
        CLAIM(range.from >= 0 && range.length >= 0 && range.from <= size - range.length);
        CLAIM(range.partial ? range.length > 0 : range.length == size);
    }
}
