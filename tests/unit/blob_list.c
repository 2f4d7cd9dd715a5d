/* Listing the objects of a store, and removing what is old: in order, from anywhere, each once, and
 * never what has been stored anew. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store.h"
#include "t.h"

enum { KEYS_MAX = 64 };

struct listed {
    char keys[KEYS_MAX][BLOB_KEY_MAX + 1];
    int64_t bytes[KEYS_MAX];
    int64_t modified[KEYS_MAX];
    int n;
};

static void note_entry(void *arg, const struct blob_entry *e)
{
    struct listed *l = arg;

    REQUIRE(l->n < KEYS_MAX);
    snprintf(l->keys[l->n], sizeof(l->keys[0]), "%s", e->key);
    l->bytes[l->n] = e->bytes;
    l->modified[l->n++] = e->modified;
}

static void put_all(struct blob_store *s, const char *const *keys, size_t n)
{
    struct str part = STR("12345");

    for (size_t i = 0; i < n; i++)
        REQUIRE(blob_put(s, keys[i], &part, 1) == ERR_OK);
}

static const char *const some[] = {"p/1/aa/x", "p/1/aa/y", "p/1/ab/a", "p/10/00/b", "p/2/00/c",
    "p/2/00/d.e", "p/2/00/d-e", "p/2/z", "q/1/aa/x", "pp/1/aa/x"};
enum { BELOW_P = 8 };

TEST(list_all_below_a_prefix)
{
    struct blob_store s;
    struct listed *l = calloc(1, sizeof(*l));

    store_fresh(&s);
    put_all(&s, some, ARRAY_LEN(some));
    CHECK_INT(blob_list(&s, "p", NULL, KEYS_MAX, note_entry, l), ERR_OK);
    CHECK_INT(l->n, BELOW_P);
    for (int i = 0; i < l->n; i++) {
        CHECK(strncmp(l->keys[i], "p/", 2) == 0);
        CHECK_INT(l->bytes[i], 5);
        CHECK(l->modified[i] > time(NULL) - 60 && l->modified[i] <= time(NULL));
        for (int j = 0; j < i; j++)
            CHECK(strcmp(l->keys[i], l->keys[j]) != 0);
    }
    l->n = 0;
    CHECK_INT(blob_list(&s, "p/2", NULL, KEYS_MAX, note_entry, l), ERR_OK);
    CHECK_INT(l->n, 4);
    l->n = 0;
    CHECK_INT(blob_list(&s, "nothing/here", NULL, KEYS_MAX, note_entry, l), ERR_OK);
    CHECK_INT(l->n, 0);
    blob_close(&s);
    free(l);
}

/* Whatever the size of a page, the pages together are the whole. */
TEST(list_in_pages)
{
    struct blob_store s;
    struct listed *all = calloc(1, sizeof(*all)), *paged = calloc(1, sizeof(*paged));

    store_fresh(&s);
    put_all(&s, some, ARRAY_LEN(some));
    REQUIRE(blob_list(&s, "p", NULL, KEYS_MAX, note_entry, all) == ERR_OK);
    for (int page = 1; page <= BELOW_P + 1; page++) {
        int before;
        paged->n = 0;
        do {
            char after[BLOB_KEY_MAX + 1] = "";
            before = paged->n;
            if (before)
                memcpy(after, paged->keys[before - 1], sizeof(after));
            REQUIRE(blob_list(&s, "p", before ? after : NULL, page, note_entry, paged) == ERR_OK);
            CHECK(paged->n - before <= page);
        } while (paged->n > before);
        REQUIRE(paged->n == all->n);
        for (int i = 0; i < all->n; i++)
            CHECK(strcmp(paged->keys[i], all->keys[i]) == 0);
    }
    blob_close(&s);
    free(all);
    free(paged);
}

/* A key that is gone is as good a place to go on from as one that is there. */
TEST(list_behind_what_is_gone)
{
    struct blob_store s;
    struct listed *l = calloc(1, sizeof(*l));

    store_fresh(&s);
    put_all(&s, some, ARRAY_LEN(some));
    REQUIRE(blob_remove(&s, "p/1/ab/a") == ERR_OK);
    CHECK_INT(blob_list(&s, "p", "p/1/ab/a", KEYS_MAX, note_entry, l), ERR_OK);
    CHECK_INT(l->n, BELOW_P - 3);
    CHECK(strcmp(l->keys[0], "p/10/00/b") == 0);
    blob_close(&s);
    free(l);
}

TEST(list_refuses_and_passes_by)
{
    struct blob_store s;
    struct listed *l = calloc(1, sizeof(*l));
    char path[128], target[128];

    if (!store_is_fs())
        t_skip("of a directory only");
    store_fresh(&s);
    put_all(&s, some, ARRAY_LEN(some));
    CHECK_INT(blob_list(&s, "../etc", NULL, 1, note_entry, l), ERR_INVALID);
    CHECK_INT(blob_list(&s, "", NULL, 1, note_entry, l), ERR_INVALID);
    CHECK_INT(blob_list(&s, "p", "q/1/aa/x", 1, note_entry, l), ERR_INVALID);
    CHECK_INT(blob_list(&s, "p", "pp/1/aa/x", 1, note_entry, l), ERR_INVALID);
    snprintf(path, sizeof(path), "%s/p/0link", store_dir);
    snprintf(target, sizeof(target), "%s/q", store_dir);
    REQUIRE(symlink(target, path) == 0);
    CHECK_INT(blob_list(&s, "p", NULL, KEYS_MAX, note_entry, l), ERR_OK);
    CHECK_INT(l->n, BELOW_P); /* never through a symbolic link */
    CHECK_INT(blob_list(&s, "p", NULL, 0, note_entry, l), ERR_OK);
    CHECK_INT(l->n, BELOW_P);
    blob_close(&s);
    free(l);
}

static void set_age(const char *key, int64_t seconds)
{
    char path[256];
    struct timespec then = {.tv_sec = time(NULL) - seconds};

    snprintf(path, sizeof(path), "%s/%s", store_dir, key);
    REQUIRE(utimensat(AT_FDCWD, path, (struct timespec[]){then, then}, 0) == 0);
}

TEST(remove_what_is_old)
{
    struct blob_store s;
    int64_t before = time(NULL) - 100, n;
    bool removed;

    if (!store_is_fs())
        t_skip("of a directory only");
    store_fresh(&s);
    put_all(&s, some, ARRAY_LEN(some));
    CHECK_INT(blob_remove_older(&s, "p/2/z", before, &removed), ERR_OK);
    CHECK(!removed);
    set_age("p/2/z", 200);
    CHECK_INT(blob_remove_older(&s, "p/2/z", before, &removed), ERR_OK);
    CHECK(removed);
    CHECK_INT(blob_size(&s, "p/2/z", &n), ERR_NOT_FOUND);
    CHECK_INT(blob_remove_older(&s, "p/2/z", before, &removed), ERR_OK);
    CHECK(!removed);
    CHECK_INT(blob_remove_older(&s, "no/such/thing", before, &removed), ERR_OK);
    CHECK(!removed);
    CHECK_INT(blob_remove_older(&s, "../x", before, &removed), ERR_INVALID);
    blob_close(&s);
}

enum { RACES = 200 };

struct storing {
    struct blob_store *s;
    int failures;
};

static void *store_again(void *arg)
{
    struct storing *w = arg;
    struct str part = STR("12345");

    for (int i = 0; i < RACES; i++)
        w->failures += blob_put(w->s, "r/1/aa/x", &part, 1) != ERR_OK;
    return NULL;
}

/* Who has stored it knows that it is there: no removal of what was old takes away what is new. */
TEST(remove_against_store)
{
    struct blob_store s;
    struct storing w = {&s, 0};
    pthread_t other;
    int64_t n;

    if (!store_is_fs())
        t_skip("of a directory only");
    store_fresh(&s);
    REQUIRE(pthread_create(&other, NULL, store_again, &w) == 0);
    for (int i = 0; i < 4 * RACES; i++) {
        bool removed;
        CHECK_INT(blob_remove_older(&s, "r/1/aa/x", time(NULL) - 100, &removed), ERR_OK);
        CHECK(!removed);
    }
    REQUIRE(pthread_join(other, NULL) == 0);
    CHECK_INT(w.failures, 0);
    CHECK_INT(blob_size(&s, "r/1/aa/x", &n), ERR_OK);
    blob_close(&s);
}
