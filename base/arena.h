/* One bump allocator per request: everything a request touches comes from here and dies with it.
 * What is not memory (a PGresult, a json_object, a file) is attached with arena_defer().
 * Small-allocation failure aborts: sizes are capped by the callers and the truth is in PostgreSQL.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

struct arena *arena_new(void);
/* Runs the deferred functions, last first, then frees all memory. NULL is fine. */
void arena_free(struct arena *a);

/* Never NULL; aligned for any type; zeroed. */
void *arena_alloc(struct arena *a, size_t size);
/* `n * size`, aborting on overflow. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* Copies, always NUL-terminated one past the end. */
char *arena_copy(struct arena *a, const void *p, size_t n);
struct str arena_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

/* Calls fn(ptr) when the arena is freed. */
void arena_defer(struct arena *a, void (*fn)(void *), void *ptr);

/* Bytes handed out so far: for limits and tests. */
size_t arena_used(const struct arena *a);

#endif
