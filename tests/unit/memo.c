/* The memory of answers: what was put comes back until its time is over, never for another key. */
#include "annotate-server/memo.h"

#include <time.h>

#include "t.h"

TEST(a_memo_knows_its_keys)
{
    struct memo m;
    int64_t v = -1;

    memo_init(&m, 64);
    CHECK(!memo_get(&m, (struct memo_key){0, 0, 0, 0}, &v)); /* an empty slot is no answer */
    memo_put(&m, (struct memo_key){1, 2, 3, 4}, 42, 60000);
    CHECK(memo_get(&m, (struct memo_key){1, 2, 3, 4}, &v));
    CHECK_INT(v, 42);
    for (int part = 0; part < 4; part++) {
        struct memo_key k = {1, 2, 3, 4};
        int64_t *parts[] = {&k.a, &k.b, &k.c, &k.d};
        ++*parts[part];
        CHECK(!memo_get(&m, k, &v));
        memo_forget(&m, k); /* forgetting another key forgets nothing */
    }
    CHECK(memo_get(&m, (struct memo_key){1, 2, 3, 4}, &v));
    memo_put(&m, (struct memo_key){1, 2, 3, 4}, 43, 60000);
    CHECK(memo_get(&m, (struct memo_key){1, 2, 3, 4}, &v));
    CHECK_INT(v, 43);
    memo_forget(&m, (struct memo_key){1, 2, 3, 4});
    CHECK(!memo_get(&m, (struct memo_key){1, 2, 3, 4}, &v));
    memo_release(&m);
}

TEST(a_memo_forgets_in_time)
{
    struct memo m;
    int64_t v = 0;

    memo_init(&m, 2);
    memo_put(&m, (struct memo_key){7, 0, 0, 0}, 1, 20);
    CHECK(memo_get(&m, (struct memo_key){7, 0, 0, 0}, &v));
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    CHECK(!memo_get(&m, (struct memo_key){7, 0, 0, 0}, &v));
    memo_release(&m);
}

/* Random keys over a small table: an answer is the last one put under exactly that key, or none. */
TEST(a_small_memo_never_answers_for_another_key)
{
    enum { KEYS = 500 };
    static int64_t last[KEYS];
    uint64_t s = t_seed();
    struct memo m;
    int64_t v, hits = 0;

    memo_init(&m, 64);
    for (int i = 0; i < 50000; i++) {
        int64_t k = (int64_t)(t_random(&s) % KEYS);
        struct memo_key key = {k % 3, k, -k, k * k};
        switch (t_random(&s) % 4) {
        case 0:
            last[k] = i + 1;
            memo_put(&m, key, last[k], 60000);
            break;
        case 1:
            last[k] = 0;
            memo_forget(&m, key);
            break;
        default:
            if (!memo_get(&m, key, &v))
                break;
            hits++;
            CHECK_INT(v, last[k]);
        }
    }
    CHECK(hits > 0);
    memo_release(&m);
}
