/* Batches: what waits for a busy key goes out together, in order, within its weight; keys do not
 * mix.
 */
#include "io/batch.h"

#include <stdlib.h>

#include "t.h"

enum { OUT = 64 };

static struct batch *out[OUT]; /* batches at work, in order of their start */
static int nout;

static void run(struct batch *b)
{
    if (nout < OUT)
        out[nout++] = b;
}

struct job {
    struct batch_item item;
    int id, person;
};

static bool another_person(const struct batch *b, const struct batch_item *item)
{
    for (const struct batch_item *i = b->items; i; i = i->next)
        if (container_of(i, const struct job, item)->person ==
            container_of(item, const struct job, item)->person)
            return false;
    return true;
}

static const struct batch_kind plain = {"plain", 4, NULL, run};
static const struct batch_kind picky = {"picky", 4, another_person, run};

static void add(struct batch_set *s, const struct batch_kind *kind, int64_t project, struct job *j)
{
    struct batch_key key = {kind, 1, project, 0};

    batch_add(s, &key, &j->item);
}

/* The ids of a batch as digits: 1, 2, 3 -> 123. */
static int ids(const struct batch *b)
{
    int n = 0;

    for (const struct batch_item *i = b->items; i; i = i->next)
        n = n * 10 + container_of(i, const struct job, item)->id;
    return n;
}

static void jobs(struct job *j, int n)
{
    for (int i = 0; i < n; i++)
        j[i] = (struct job){.item.weight = 1, .id = i + 1, .person = i};
    nout = 0;
}

TEST(a_lone_item_goes_at_once_and_the_rest_together)
{
    struct batch_set *s = batch_set_new(NULL);
    struct job j[7];

    jobs(j, 7);
    for (int i = 0; i < 7; i++)
        add(s, &plain, 1, &j[i]);
    REQUIRE(nout == 1);
    CHECK_INT(ids(out[0]), 1);
    batch_end(out[0]);
    REQUIRE(nout == 2);
    CHECK_INT(ids(out[1]), 2345); /* no more than 4 */
    CHECK_INT(out[1]->n, 4);
    batch_end(out[1]);
    REQUIRE(nout == 3);
    CHECK_INT(ids(out[2]), 67);
    batch_end(out[2]);
    batch_set_free(s); /* ends the test if anything is left */
}

TEST(keys_do_not_wait_for_each_other)
{
    struct batch_set *s = batch_set_new(NULL);
    struct job j[600];

    nout = 0;
    for (int i = 0; i < 600; i++) {
        j[i] = (struct job){.item.weight = 1, .id = 1};
        add(s, i % 2 ? &plain : &picky, i / 2, &j[i]);
        CHECK_INT(nout, 1);
        batch_end(out[0]);
        nout = 0;
    }
    batch_set_free(s);
}

TEST(weight_bounds_a_batch_and_a_heavy_item_goes_alone)
{
    struct batch_set *s = batch_set_new(NULL);
    struct job j[6];

    jobs(j, 6);
    j[1].item.weight = 3;
    j[2].item.weight = 2;
    j[3].item.weight = 100;
    for (int i = 0; i < 6; i++)
        add(s, &plain, 1, &j[i]);
    static const int want[] = {1, 2, 3, 4, 56};
    for (int i = 0; i < 5; i++) {
        REQUIRE(nout == i + 1);
        CHECK_INT(ids(out[i]), want[i]);
        batch_end(out[i]);
    }
    batch_set_free(s);
}

TEST(what_does_not_fit_keeps_its_turn)
{
    struct batch_set *s = batch_set_new(NULL);
    struct job j[7];

    jobs(j, 7);
    j[2].person = j[3].person = j[1].person;
    for (int i = 0; i < 6; i++)
        add(s, &picky, 1, &j[i]);
    CHECK_INT(ids(out[0]), 1);
    batch_end(out[0]);
    REQUIRE(nout == 2);
    CHECK_INT(ids(out[1]), 256);
    add(s, &picky, 1, &j[6]); /* stands behind those that were passed over */
    batch_end(out[1]);
    REQUIRE(nout == 3);
    CHECK_INT(ids(out[2]), 37);
    batch_end(out[2]);
    REQUIRE(nout == 4);
    CHECK_INT(ids(out[3]), 4);
    batch_end(out[3]);
    batch_set_free(s);
}

static struct job again;

static void run_and_end(struct batch *b)
{
    struct batch_set *s = b->set;
    struct batch_key key = b->key;

    if (nout++ == 0)
        batch_add(s, &key, &again.item); /* from inside: it waits until this one has ended */
    CHECK_INT(b->n, 1);
    batch_end(b);
}

TEST(a_batch_may_end_and_add_from_inside_its_run)
{
    static const struct batch_kind quick = {"quick", 4, NULL, run_and_end};
    struct batch_set *s = batch_set_new(NULL);
    struct job j = {.item.weight = 1};

    nout = 0;
    again = (struct job){.item.weight = 1};
    add(s, &quick, 1, &j);
    CHECK_INT(nout, 2);
    batch_set_free(s);
}
