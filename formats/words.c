/* Owns where a word ends. */
#include "formats/words.h"

#include "base/err.h"
#include "base/utf8.h"

enum kind { SPACE, LINE, PART, SINGLE };

static const struct {
    uint32_t low, high;
    enum kind kind;
} ranges[] = {
    {0, '\t', SPACE},
    {'\n', '\r', LINE},
    {0x0e, ' ', SPACE},
    {'!', '/', SINGLE},
    {'0', '9', PART},
    {':', '@', SINGLE},
    {'A', 'Z', PART},
    {'[', '`', SINGLE},
    {'a', 'z', PART},
    {'{', '~', SINGLE},
    {0x7f, 0x84, SPACE},
    {0x85, 0x85, LINE},
    {0x86, 0xa0, SPACE},
    {0xa1, 0xa9, SINGLE},
    {0xaa, 0xaa, PART}, /* ª */
    {0xab, 0xac, SINGLE},
    {0xad, 0xad, PART}, /* the soft hyphen stands in words */
    {0xae, 0xb1, SINGLE},
    {0xb2, 0xb3, PART}, /* ² ³ */
    {0xb4, 0xb4, SINGLE},
    {0xb5, 0xb5, PART}, /* µ */
    {0xb6, 0xb8, SINGLE},
    {0xb9, 0xba, PART}, /* ¹ º */
    {0xbb, 0xbb, SINGLE},
    {0xbc, 0xbe, PART}, /* ¼ ½ ¾ */
    {0xbf, 0xbf, SINGLE},
    {0xd7, 0xd7, SINGLE},
    {0xf7, 0xf7, SINGLE},
    {0x1680, 0x1680, SPACE},
    {0x2000, 0x200b, SPACE},
    {0x200c, 0x200d, PART}, /* joiners */
    {0x200e, 0x200f, SPACE},
    {0x2010, 0x2027, SINGLE},
    {0x2028, 0x2029, LINE},
    {0x202a, 0x202f, SPACE},
    {0x2030, 0x205e, SINGLE},
    {0x205f, 0x206f, SPACE},
    {0x20a0, 0x20cf, SINGLE},
    {0x2190, 0x2bff, SINGLE},
    {0x3000, 0x3000, SPACE},
    {0x3001, 0x3004, SINGLE},
    {0x3008, 0x3020, SINGLE},
    {0x3030, 0x3030, SINGLE},
    {0xfe30, 0xfe4f, SINGLE},
    {0xfeff, 0xfeff, SPACE},
    {0xff00, 0xff0f, SINGLE},
    {0xff1a, 0xff20, SINGLE},
    {0xff3b, 0xff40, SINGLE},
    {0xff5b, 0xff65, SINGLE},
    {0x1f000, 0x1faff, SINGLE},
};

static enum kind kind_of(uint32_t c)
{
    size_t low = 0, high = ARRAY_LEN(ranges);

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c > ranges[mid].high)
            low = mid + 1;
        else
            high = mid;
    }
    return low < ARRAY_LEN(ranges) && c >= ranges[low].low ? ranges[low].kind : PART;
}

/* The kind of the character at the beginning, and its bytes. */
static enum kind look(struct str s, size_t *bytes)
{
    int n = utf8_length(s.p, s.p + s.n);

    *bytes = n > 0 ? (size_t)n : 1;
    return n > 0 ? kind_of(utf8_decode(s.p, n)) : SPACE;
}

static void step(struct word_reader *r, size_t bytes)
{
    r->rest.p += bytes;
    r->rest.n -= bytes;
    r->at++;
}

bool word_next(struct word_reader *r, struct word *w)
{
    enum kind kind = SPACE;
    size_t bytes = 0;

    *w = (struct word){0};
    while (r->rest.n > 0 && (kind = look(r->rest, &bytes)) <= LINE) {
        w->after_line |= kind == LINE && r->began;
        step(r, bytes);
    }
    if (r->rest.n == 0)
        return false;
    r->began = true;
    w->start = r->at;
    w->text.p = r->rest.p;
    do {
        step(r, bytes);
        w->text.n += bytes;
    } while (kind == PART && r->rest.n > 0 && look(r->rest, &bytes) == PART);
    w->end = r->at;
    return true;
}
