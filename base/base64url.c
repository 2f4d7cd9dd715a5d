/* Owns base64url. Never accepts two spellings of one value. */
#include "base/base64url.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(const void *p, size_t n, char *out)
{
    const unsigned char *in = p;
    unsigned bits = 0, held = 0;

    for (size_t i = 0; i < n; i++) {
        held = held << 8 | in[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *out++ = digits[held >> (bits - 6) & 63];
    }
    if (bits)
        *out++ = digits[held << (6 - bits) & 63];
    *out = '\0';
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ptrdiff_t base64url_decode(struct str text, unsigned char *out)
{
    unsigned bits = 0, held = 0;
    ptrdiff_t n = 0;

    if (text.n % 4 == 1)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        int d = digit(text.p[i]);
        if (d < 0)
            return -1;
        held = held << 6 | (unsigned)d;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (out)
            out[n] = (unsigned char)(held >> bits);
        n++;
    }
    return held & ((1U << bits) - 1) ? -1 : n;
}
