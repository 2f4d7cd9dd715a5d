/* Owns running the registered tests: `unit [SUBSTRING]`; a line a failing test, and `N passed, N
 * failed` last. */
#include "t.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct t_test *tests;
static int failures;
static uint64_t seed;

enum { EXIT_SKIPPED = 77, TEST_SECONDS = 300 };

void t_register(struct t_test *t)
{
    t->next = tests;
    tests = t;
}

void t_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    if (++failures > 20)
        exit(1);
    printf("    %s:%d: ", file, line);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    if (seed)
        printf("    seed: T_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
}

void t_skip(const char *why)
{
    printf("    skipped: %s\n", why);
    fflush(stdout);
    exit(failures ? 1 : EXIT_SKIPPED);
}

uint64_t t_seed(void)
{
    const char *given = getenv("T_SEED");

    if (given)
        seed = strtoull(given, NULL, 10);
    else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = (uint64_t)time(NULL);
    seed |= 1;
    return seed;
}

uint64_t t_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717ULL;
}

static int run(const struct t_test *t)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(TEST_SECONDS);
        t->fn();
        fflush(stdout);
        exit(failures ? 1 : 0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return 1;
    if (WIFSIGNALED(status))
        printf("    died of signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;

    for (const struct t_test *t = tests; t; t = t->next) {
        const char *base = strrchr(t->file, '/');
        char name[200];
        snprintf(name, sizeof(name), "%s %s", base ? base + 1 : t->file, t->name);
        if (argc > 1 && !strstr(name, argv[1]))
            continue;
        int r = run(t);
        if (r == 0)
            passed++;
        else if (r == EXIT_SKIPPED)
            skipped++;
        else
            failed++;
        if (r)
            printf("%s %s\n", r == EXIT_SKIPPED ? "skip" : "FAIL", name);
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed ? 1 : 0;
}
