/* Owns the growing buffer of buf.h. Never grows past its maximum and never aborts on input. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->err = ERR_OK;
}

static bool reserve(struct buf *b, size_t n)
{
    if (b->err)
        return false;
    if (n > b->max || b->n > b->max - n) {
        b->err = ERR_FULL;
        return false;
    }
    if (b->n + n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap < b->n + n + 1)
            cap *= 2;
        char *p = realloc(b->p, cap);
        if (!p) {
            b->err = ERR_NO_MEMORY;
            return false;
        }
        b->p = p;
        b->cap = cap;
    }
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (!reserve(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void buf_putc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_int(struct buf *b, int64_t v)
{
    char digits[24];
    char *end = digits + sizeof(digits), *p = end;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    buf_add(b, p, (size_t)(end - p));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && reserve(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_json(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;

    buf_putc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        char esc[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        size_t n = 6;
        const char *at = strchr("\"\"\\\\\bb\ff\nn\rr\tt", c); /* pairs: byte, its short escape */
        if (c && at) {
            esc[1] = at[1];
            n = 2;
        }
        buf_add(b, s.p + from, i - from);
        buf_add(b, esc, n);
        from = i + 1;
    }
    if (from < s.n) /* an empty one may be nowhere */
        buf_add(b, s.p + from, s.n - from);
    buf_putc(b, '"');
}

void buf_hex(struct buf *b, const void *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *u = p;

    for (size_t i = 0; i < n; i++) {
        char two[2] = {hex[u[i] >> 4], hex[u[i] & 15]};
        buf_add(b, two, 2);
    }
}

void buf_chop(struct buf *b, char c)
{
    if (b->n && b->p[b->n - 1] == c)
        b->p[--b->n] = '\0';
}
