/* The ids of events as they come back from clients: what is ours is taken as it was printed, what
 * is not is refused, whatever it is. */
#include "annotate-server/api/event_id.h"

#include <stdlib.h>

#include "t.h"

static const char *const good[] = {"1:1:", "3:3:", "1042:1042:", "5:9:5", "5:9:5,6,8",
    "9223372036854775807:9223372036854775807:", "1:1:/1:2:/1", "5:9:5,7/6:12:7/123456789"};

static const char *const bad[] = {"", ":", "1", "1:", "1:1",
    "0:1:", "1:0:", "2:1:", "01:1:", "1:01:", "+1:1:", "-1:1:", " 1:1:", "1:1: ", "1:9:1,",
    "1:9:,1", "1:9:2,1", "1:9:2,2", "4:9:3", "1:9:9", "1:9:0", "1:9:02", "1:1:/",
    "1:1:/1:2:", "1:1:/1:2:/", "1:1:/1:2:/0", "1:1:/1:2:/01", "1:1:/1:2:/-1", "1:1:/1:2:/1 ",
    "1:1:/1:2:/1/2", "1:1://1", "9223372036854775808:1:", "1:99999999999999999999:", "1:1:'",
    "1:9:1;DROP"};

static struct str print(struct buf *out, const struct event_id *id)
{
    buf_clear(out);
    event_id_line(out, id);
    return buf_view(out);
}

TEST(event_ids_come_back_as_they_went)
{
    struct event_id id;
    struct buf out;

    buf_init(&out, BUF_MAX_LINE);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK(event_id_parse(str_of(good[i]), &id) == ERR_OK);
        struct str line = print(&out, &id);
        CHECK(str_starts(line, STR("id: ")) && line.p[line.n - 1] == '\n');
        CHECK(str_eq((struct str){line.p + 4, line.n - 5}, str_of(good[i])));
    }
    buf_release(&out);
}

TEST(what_is_no_event_id_is_refused)
{
    struct event_id id;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(event_id_parse(str_of(bad[i]), &id) == ERR_INVALID);
    CHECK(event_id_parse((struct str){"1:1:\0", 5}, &id) == ERR_INVALID);
}

TEST(event_ids_are_bounded)
{
    struct event_id id;
    struct buf text, out;

    buf_init(&text, BUF_MAX_LINE);
    buf_init(&out, BUF_MAX_LINE);
    buf_puts(&text, "1:99999:");
    for (int i = 1; text.n < EVENT_ID_MAX + 8; i++)
        buf_printf(&text, "%s%d", i > 1 ? "," : "", i);
    CHECK(event_id_parse(buf_view(&text), &id) == ERR_INVALID);
    id = (struct event_id){.prev = buf_view(&text)};
    CHECK(print(&out, &id).n == 0);
    buf_release(&text);
    buf_release(&out);
}

/* Whatever is taken is well-formed: it prints as it was read, and its parts lie within it. */
TEST(damaged_event_ids_are_refused_or_the_same)
{
    static const char letters[] = "0123456789:,/ -x";
    struct event_id id;
    struct buf out;
    int taken = 0;

    buf_init(&out, BUF_MAX_LINE);
    srand(1);
    for (int n = 0; n < 200000; n++) {
        char *copy = strdup(good[(size_t)rand() % ARRAY_LEN(good)]); /* exact, for ASan */
        size_t len = strlen(copy), cut = (size_t)rand() % (len + 1);
        for (int k = rand() % 3; k > 0; k--)
            copy[(size_t)rand() % len] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        struct str text = {memcpy(malloc(len + 1), copy, len), rand() % 2 ? len : cut};
        if (event_id_parse(text, &id) == ERR_OK) {
            struct str line = print(&out, &id);
            CHECK(str_eq((struct str){line.p + 4, line.n - 5}, text));
            taken++;
        }
        free((void *)(uintptr_t)text.p);
        free(copy);
    }
    CHECK(taken > 1000);
    buf_release(&out);
}

TEST(event_ids_are_compared_by_all_their_parts)
{
    struct event_id a, b;

    CHECK(!event_id_parse(STR("1:1:/1:2:/1"), &a) && !event_id_parse(STR("1:1:/1:2:/1"), &b));
    CHECK(event_id_same(&a, &b));
    b.seq = 2;
    CHECK(!event_id_same(&a, &b));
    CHECK(!event_id_parse(STR("1:1:"), &b) && !event_id_same(&a, &b));
}
