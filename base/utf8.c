/* Owns UTF-8. Never repairs: what is invalid is reported, not replaced. */
#include "base/utf8.h"

/* The second byte after E0, ED, F0, F4 is limited: that is what refuses overlong forms, surrogates
 * and characters beyond U+10FFFF. */
static void second_byte(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
}

int utf8_length(const char *text, const char *end)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned char low, high;
    int n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    second_byte(p[0], &low, &high);
    for (int i = 1; i < n; i++) {
        if (text + i == end)
            return -1;
        if (p[i] < low || p[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

size_t utf8_valid(struct str s)
{
    size_t at = 0;

    while (at < s.n) {
        int n = utf8_length(s.p + at, s.p + s.n);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    return at;
}

uint32_t utf8_decode(const char *p, int n)
{
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)p[0] & mask[n];

    for (int i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3f);
    return c;
}

size_t utf8_encode(uint32_t c, char out[4])
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n] | c);
    return n;
}
