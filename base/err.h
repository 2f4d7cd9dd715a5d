/* The one list of errors (err.def). Functions that can fail return `enum err`, 0 = ERR_OK, and are
 * MUSTCHECK. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUSTCHECK                       __attribute__((warn_unused_result))
#define PRINTF(fmt, args)               __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

enum err {
#define ERR(name, status, slug, title) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_COUNT
};

/* HTTP status, slug and title of an error; all static strings, never NULL. */
int err_status(enum err e);
const char *err_slug(enum err e);
const char *err_title(enum err e);

/* Stops the program with the place and the broken condition. For programming errors only, never for
 * input. */
#define BUG_ON(cond)                                                                               \
    do {                                                                                           \
        if (cond)                                                                                  \
            err_bug(__FILE__, __LINE__, #cond);                                                    \
    } while (0)
__attribute__((noreturn)) void err_bug(const char *file, int line, const char *what);

#endif
