/* The unit test harness: TEST(name) { ... } registers itself; each test runs in a child of its own,
 * so a crash is one failure. CHECK goes on after a failure, REQUIRE leaves the test. */
#ifndef TESTS_T_H
#define TESTS_T_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct t_test {
    const char *file, *name;
    void (*fn)(void);
    struct t_test *next;
};

void t_register(struct t_test *t);
void t_fail(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Ends the running test as skipped, with the reason shown. */
__attribute__((noreturn)) void t_skip(const char *why);
/* A seed for random tests: T_SEED of the environment, else fresh; printed when the test fails. */
uint64_t t_seed(void);
/* xorshift64*: the next number of a state that must not be 0. */
uint64_t t_random(uint64_t *state);

#define TEST(id)                                                                                   \
    static void test_##id(void);                                                                   \
    __attribute__((constructor)) static void register_##id(void)                                   \
    {                                                                                              \
        static struct t_test t = {__FILE__, #id, test_##id, NULL};                                 \
        t_register(&t);                                                                            \
    }                                                                                              \
    static void test_##id(void)

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            t_fail(__FILE__, __LINE__, "%s", #cond);                                               \
    } while (0)
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            t_fail(__FILE__, __LINE__, "%s", #cond);                                               \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define CHECK_INT(a, b)                                                                            \
    do {                                                                                           \
        long long a_ = (long long)(a), b_ = (long long)(b);                                        \
        if (a_ != b_)                                                                              \
            t_fail(__FILE__, __LINE__, "%s is %lld, want %lld", #a, a_, b_);                       \
    } while (0)
#define CHECK_STR(a, b)                                                                            \
    do {                                                                                           \
        struct str a_ = (a), b_ = (b);                                                             \
        if (!str_eq(a_, b_))                                                                       \
            t_fail(__FILE__, __LINE__, "%s is «%.*s», want «%.*s»", #a, STR_FMT(a_), STR_FMT(b_)); \
    } while (0)

#endif
