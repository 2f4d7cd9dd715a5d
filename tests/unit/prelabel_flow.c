/* prelabel/queue, held, route, lane: what moves items and what bounds them. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/label_config.h"
#include "t.h"
#include "workers/prelabel/held.h"
#include "workers/prelabel/queue.h"

static const struct engine none = {"none", "", NULL, NULL, NULL};
static char *ab[] = {(char[]){"A"}, (char[]){"B"}};
static const struct model model_one = {.name = "m",
    .version = 1,
    .width = 10,
    .height = 10,
    .channels = 1,
    .nlabels = 2,
    .labels = ab};
static const struct model model_two = {.name = "m",
    .version = 2,
    .width = 10,
    .height = 10,
    .channels = 1,
    .nlabels = 2,
    .labels = ab};
static struct session session_one = {&none, &model_one, "none"};
static struct session session_two = {&none, &model_two, "none"};
static struct lane lane_v[] = {{.model = &model_one, .session = &session_one, .name = "m@1"},
    {.model = &model_two, .session = &session_two, .name = "m@2"}};
static const struct lanes lanes = {lane_v, 2};

#define IMAGE   "<Image name='i' value='$photo'/>"
#define CHOICE  "<Choice value='A'/><Choice value='B'/>"
#define VIEW(x) "<View>" IMAGE x "</View>"

static struct route *route(int64_t project)
{
    struct route *r;
    char why[LABEL_CONFIG_WHY];

    BUG_ON(route_find(
        STR(VIEW("<Choices name='c' toName='i'>" CHOICE "</Choices>")), project, &lanes, &r, why));
    return r;
}

/* Routes */

TEST(route_fits)
{
    struct route *r = route(5);

    CHECK(strcmp(r->field, "photo") == 0 && strcmp(r->from_name, "c") == 0);
    CHECK(strcmp(r->to_name, "i") == 0 && r->project == 5);
    CHECK(r->lane == &lane_v[1]); /* the higher version */
    CHECK(route_get(r) == r);
    route_put(r);
    route_put(r);
    route_put(NULL);
}

TEST(route_takes_the_first_control_that_fits)
{
    static const char *const fits[] = {
        VIEW("<Choices name='x' toName='i'><Choice value='A'/><Choice value='C'/></Choices>"
             "<Choices name='c' toName='i'><Choice value='C'/>" CHOICE "</Choices>"
             "<Choices name='d' toName='i'>" CHOICE "</Choices>"),
        VIEW("<Choices name='x' toName='i' perRegion='true'>" CHOICE "</Choices>"
             "<Choices name='c' toName='i'>" CHOICE "</Choices>"),
        VIEW("<RectangleLabels name='x' toName='i'><Label value='A'/><Label value='B'/>"
             "</RectangleLabels><Choices name='c' toName='i'>" CHOICE "</Choices>"),
        VIEW("<Text name='t' value='$t'/><Choices name='x' toName='t'>" CHOICE "</Choices>"
             "<Choices name='c' toName='i'>" CHOICE "</Choices>"),
    };
    static const char *const fits_not[] = {
        VIEW("<Rating name='c' toName='i'/>"),
        VIEW("<Choices name='c' toName='i'><Choice value='A'/></Choices>"),
        VIEW("<Choices name='c' toName='i'><Choice value='A'><Choice value='B'/></Choice>"
             "</Choices>"),
        "<View><Text name='i' value='$t'/><Choices name='c' toName='i'>" CHOICE "</Choices></View>",
    };
    char why[LABEL_CONFIG_WHY];
    struct route *r;

    for (size_t i = 0; i < ARRAY_LEN(fits); i++) {
        REQUIRE(route_find(str_of(fits[i]), 1, &lanes, &r, why) == ERR_OK);
        CHECK(strcmp(r->from_name, "c") == 0);
        route_put(r);
    }
    for (size_t i = 0; i < ARRAY_LEN(fits_not); i++) {
        enum err e = route_find(str_of(fits_not[i]), 1, &lanes, &r, why);
        if (e != ERR_NOT_FOUND)
            t_fail(__FILE__, __LINE__, "config %zu: %s, %s", i, err_slug(e), why);
        CHECK(r == NULL);
    }
    CHECK(route_find(STR("<View"), 1, &lanes, &r, why) == ERR_INVALID);
}

/* Credits and leases */

static struct item *item(struct route *r, int64_t assignment, int64_t version)
{
    struct item *i = item_new(r, assignment, version, 1, STR("/x"));

    BUG_ON(!i);
    return i;
}

TEST(held_credits)
{
    struct route *r = route(1);
    struct held h;
    struct item *items[4];

    held_init(&h, 4, 3 * item_bytes(r) + 1);
    CHECK_INT(held_room(&h, r, 2), 2);
    CHECK_INT(held_room(&h, r, 100), 3); /* bytes */
    for (int i = 0; i < 3; i++)
        REQUIRE(held_add(&h, items[i] = item(r, i, 1)));
    CHECK_INT(held_room(&h, r, 100), 0);
    CHECK_INT(held_count(&h, 1), 3);
    CHECK_INT(held_count(&h, 2), 0);
    held_end(&h, items[1]);
    CHECK_INT(held_room(&h, r, 100), 1);
    held_end(&h, items[0]);
    held_end(&h, items[2]);
    CHECK_INT(h.bytes, 0);
    held_release(&h);

    held_init(&h, 2, 1); /* an item larger than all credit passes alone */
    CHECK_INT(held_room(&h, r, 100), 1);
    REQUIRE(held_add(&h, items[0] = item(r, 1, 1)));
    CHECK_INT(held_room(&h, r, 100), 0);
    held_end(&h, items[0]);
    held_release(&h);
    route_put(r);
}

TEST(held_knows_its_leases)
{
    struct route *r = route(1);
    struct held h;
    struct lease list[4];

    held_init(&h, 10, 1 << 20);
    struct item *a = item(r, 1, 5), *b = item(r, 2, 5), *again = item(r, 1, 5);
    REQUIRE(held_add(&h, a) && held_add(&h, b));
    CHECK(!held_add(&h, again)); /* a claim brings what we hold */
    CHECK_INT(held_list(&h, list, 4), 2);
    held_lost(&h, (struct lease){2, 4}); /* another version: not that one */
    CHECK(!atomic_load(&b->lost));
    held_lost(&h, (struct lease){2, 5});
    CHECK(atomic_load(&b->lost) && !atomic_load(&a->lost));
    CHECK_INT(held_list(&h, list, 4), 1); /* no heartbeat for it any more */
    CHECK(list[0].assignment == 1 && list[0].version == 5);
    held_end(&h, a);
    CHECK(!held_add(&h, again)); /* ended while the claim was on its way */
    again->version = 6;
    CHECK(held_add(&h, again)); /* given back and claimed anew */
    CHECK(!held_drain(&h, 20));
    held_end(&h, again);
    held_end(&h, b);
    CHECK(held_drain(&h, 0));
    held_release(&h);
    route_put(r);
}

/* Queues */

static bool same_project(const struct item *a, const struct item *b)
{
    return a->route->project == b->route->project;
}

TEST(queue_runs_of_the_same)
{
    struct route *one = route(1), *two = route(2);
    struct item *out[10];
    struct queue q;

    queue_init(&q);
    for (int i = 0; i < 7; i++)
        queue_put(&q, item(i < 5 ? one : two, i, 1));
    CHECK_INT(queue_take(&q, out, 3, 0, same_project), 3);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(out[i]->assignment, i); /* in order */
        item_free(out[i]);
    }
    CHECK_INT(queue_take(&q, out, 10, 0, same_project), 2); /* never mixed */
    item_free(out[0]);
    item_free(out[1]);
    queue_put(&q, item(one, 7, 1));
    queue_close(&q);
    CHECK_INT(queue_take(&q, out, 10, 1000, NULL), 3); /* closed: no waiting, but to the end */
    for (int i = 0; i < 3; i++)
        item_free(out[i]);
    CHECK_INT(queue_take(&q, out, 10, 1000, NULL), 0);
    queue_release(&q);
    route_put(one);
    route_put(two);
}

static void *put_late(void *arg)
{
    struct queue *q = arg;
    struct route *r = route(1);

    for (int i = 0; i < 3; i++) {
        usleep(20000);
        queue_put(q, item(r, i, 1));
    }
    route_put(r);
    return NULL;
}

TEST(queue_waits_for_company)
{
    struct item *out[3];
    struct queue q;
    pthread_t t;

    queue_init(&q);
    REQUIRE(pthread_create(&t, NULL, put_late, &q) == 0);
    CHECK_INT(queue_take(&q, out, 3, 5000, NULL), 3); /* full before the delay ends */
    pthread_join(t, NULL);
    queue_put(&q, out[0]);
    int64_t start = clock_mono_us();
    CHECK_INT(queue_take(&q, out, 3, 50, NULL), 1); /* the delay ends first */
    int64_t took = clock_mono_us() - start;
    CHECK(took >= 49000 && took < 2000000);
    for (int i = 0; i < 3; i++)
        item_free(out[i]);
    queue_release(&q);
}

/* Lanes */

TEST(lane_gives_up_on_a_faulty_model)
{
    struct lane l = lane_v[0];

    for (int i = 1; i < LANE_FAULTS; i++) {
        CHECK(lane_fault(&l));
        CHECK(atomic_load(&l.blocked_until_us) > clock_mono_us() + 1000000);
    }
    CHECK(!lane_fault(&l)); /* people go on without it */
}
