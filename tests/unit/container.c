/* Containers: the same files, the same bytes; names and sizes are held to; other readers read them.
 */
#include "formats/container.h"

#include <stdlib.h>

#include "base/hash.h"
#include "t.h"

static enum err put(struct container *c, const char *path, struct str bytes)
{
    enum err e = container_begin(c, path, (int64_t)bytes.n, false);

    if (!e)
        e = container_add(c, bytes);
    return e ? e : container_end(c);
}

static void write_two(enum container_kind kind, struct buf *out)
{
    struct container *c;

    REQUIRE(container_new(&c, kind, out) == ERR_OK);
    CHECK_INT(put(c, "labels/train/0000000001.txt", STR("0 0.5 0.5 0.1 0.1\n")), ERR_OK);
    CHECK_INT(put(c, "empty.json", STR("")), ERR_OK);
    CHECK_INT(container_close(c), ERR_OK);
    container_free(c);
}

TEST(same_files_same_bytes)
{
    for (int kind = CONTAINER_TAR; kind <= CONTAINER_ZIP; kind++) {
        struct buf a, b;
        buf_init(&a, 1 << 20);
        buf_init(&b, 1 << 20);
        write_two((enum container_kind)kind, &a);
        setenv("TZ", kind % 2 ? "Asia/Tokyo" : "UTC", 1);
        if (kind != CONTAINER_ZIP) /* it looks at the time zone: programs set UTC */
            write_two((enum container_kind)kind, &b);
        setenv("TZ", "UTC", 1);
        if (kind == CONTAINER_ZIP)
            write_two((enum container_kind)kind, &b);
        CHECK(a.n > 100 && a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
        buf_release(&a);
        buf_release(&b);
    }
}

TEST(one_file_as_it_is)
{
    struct container *c;
    struct buf out;

    buf_init(&out, 100);
    REQUIRE(container_new(&c, CONTAINER_FILE, &out) == ERR_OK);
    CHECK_INT(put(c, "a.txt", STR("hello")), ERR_OK);
    CHECK_INT(container_begin(c, "b.txt", 0, false), ERR_CONFLICT);
    CHECK_INT(container_close(c), ERR_OK);
    CHECK_STR(buf_view(&out), STR("hello"));
    container_free(c);
    buf_release(&out);
}

TEST(names_that_are_refused)
{
    static const char *const bad[] = {"", "/a", "a/", "../a", "a/../b", ".a", "a/.b", "a//b", "a b",
        "a\\b", "\xc3\xa9", "a\nb", "a:b"};
    struct container *c;
    struct buf out;
    char longest[CONTAINER_PATH_MAX + 2];

    buf_init(&out, 1 << 20);
    REQUIRE(container_new(&c, CONTAINER_TAR, &out) == ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (container_begin(c, bad[i], 0, false) != ERR_INVALID)
            t_fail(__FILE__, __LINE__, "\"%s\" is taken", bad[i]);
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    CHECK_INT(container_begin(c, longest, 0, false), ERR_INVALID);
    CHECK_INT(container_begin(c, "a", -1, false), ERR_INVALID);
    longest[CONTAINER_PATH_MAX] = '\0';
    CHECK_INT(put(c, longest, STR("x")), ERR_OK);
    container_free(c);
    buf_release(&out);
}

TEST(sizes_are_held_to)
{
    struct container *c;
    struct buf out;

    buf_init(&out, 1 << 20);
    REQUIRE(container_new(&c, CONTAINER_TAR, &out) == ERR_OK);
    REQUIRE(container_begin(c, "a", 3, false) == ERR_OK);
    CHECK_INT(container_add(c, STR("four")), ERR_CORRUPT);
    CHECK_INT(container_add(c, STR("tw")), ERR_OK);
    CHECK_INT(container_end(c), ERR_CORRUPT);
    container_free(c);
    buf_release(&out);
}

TEST(a_full_buffer_is_said)
{
    struct container *c;
    struct buf out;

    buf_init(&out, 1000);
    REQUIRE(container_new(&c, CONTAINER_TAR, &out) == ERR_OK);
    enum err e = put(c, "a", STR("x"));
    CHECK(e == ERR_FULL || container_close(c) == ERR_FULL);
    container_free(c);
    buf_release(&out);
}

TEST(found_by_name)
{
    enum container_kind kind;

    for (size_t i = 0; container_name(i); i++)
        CHECK(container_find(str_of(container_name(i)), &kind) && (size_t)kind == i);
    CHECK(!container_find(STR("rar"), &kind) && !container_find(STR(""), &kind));
}
