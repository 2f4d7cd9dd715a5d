/* Owns arena memory. Never returns NULL and never frees a single allocation. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#define RED_ZONE       16 /* stays poisoned behind each allocation, so that an overrun is seen */
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define RED_ZONE       0
#endif

enum { BLOCK_SIZE = 4096, ALIGN = 16 };

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(ALIGN) char data[];
};

struct defer {
    struct defer *next;
    void (*fn)(void *);
    void *ptr;
};

struct arena {
    struct block *head;
    struct defer *defers;
    size_t used;
};

static struct block *block_new(size_t size)
{
    struct block *b = malloc(sizeof(*b) + size);

    BUG_ON(!b);
    b->next = NULL;
    b->size = size;
    b->used = 0;
    POISON(b->data, size);
    return b;
}

struct arena *arena_new(void)
{
    struct arena *a = calloc(1, sizeof(*a));

    BUG_ON(!a);
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    while (a->defers) {
        struct defer *d = a->defers;
        a->defers = d->next;
        d->fn(d->ptr);
    }
    while (a->head) {
        struct block *b = a->head;
        a->head = b->next;
        UNPOISON(b->data, b->size);
        free(b);
    }
    free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
    BUG_ON(size > (size_t)1 << 31);
    size_t need = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    size_t step = need + RED_ZONE;

    if (!a->head || a->head->size - a->head->used < step) {
        struct block *b = block_new(step > BLOCK_SIZE ? step : BLOCK_SIZE);
        if (a->head && step > BLOCK_SIZE / 2) { /* keep filling the old block */
            b->next = a->head->next;
            a->head->next = b;
            b->used = step;
            UNPOISON(b->data, size);
            memset(b->data, 0, size);
            a->used += step;
            return b->data;
        }
        b->next = a->head;
        a->head = b;
    }
    char *p = a->head->data + a->head->used;
    a->head->used += step;
    a->used += step;
    UNPOISON(p, size);
    memset(p, 0, size);
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t total;

    BUG_ON(__builtin_mul_overflow(n, size, &total));
    return arena_alloc(a, total);
}

char *arena_copy(struct arena *a, const void *p, size_t n)
{
    char *copy = arena_alloc(a, n + 1);

    if (n)
        memcpy(copy, p, n);
    return copy;
}

struct str arena_str(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    BUG_ON(n < 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *ptr)
{
    struct defer *d = arena_alloc(a, sizeof(*d));

    d->fn = fn;
    d->ptr = ptr;
    d->next = a->defers;
    a->defers = d;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
