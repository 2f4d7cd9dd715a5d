/* storage/batch_log: a crash at any byte of a batch loses that batch and no other. */
#include "storage/batch_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream_dir.h"
#include "t.h"

enum { SEGMENT = 1 << 20 };

/* A log that does not exist yet. */
static const char *fresh(void)
{
    static char dir[80];

    snprintf(dir, sizeof(dir), "%s/log", stream_dir_fresh());
    return dir;
}

static void segment_name(const char *dir, int n, char *out, size_t size)
{
    snprintf(out, size, "%s/%010d.jsonl", dir, n);
}

static int64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static void append(const char *dir, const char *lines, int records, const char *position)
{
    struct batch_log *l = NULL;
    struct buf at;

    buf_init(&at, BUF_MAX_LINE);
    REQUIRE(batch_log_open(&l, dir, SEGMENT, &at) == ERR_OK);
    CHECK(batch_log_append(l, str_of(lines), records, str_of(position)) == ERR_OK);
    batch_log_close(l);
    buf_release(&at);
}

/* Opens for writing, which recovers, and tells the position. */
static void expect_position(const char *dir, const char *want)
{
    struct batch_log *l = NULL;
    struct buf at;

    buf_init(&at, BUF_MAX_LINE);
    CHECK(batch_log_open(&l, dir, SEGMENT, &at) == ERR_OK);
    CHECK_STR(buf_view(&at), str_of(want));
    batch_log_close(l);
    buf_release(&at);
}

TEST(batch_log_round_trip)
{
    const char *dir = fresh();
    struct batch_reader r;
    struct str lines, at;
    bool got;

    CHECK(batch_reader_open(&r, dir) == ERR_NOT_FOUND);
    batch_reader_close(&r);
    expect_position(dir, "");
    append(dir, "{\"a\":1}\n{\"a\":2}\n", 2, "{\"done\":2}");
    append(dir, "", 0, "{\"done\":3}");
    REQUIRE(batch_reader_open(&r, dir) == ERR_OK);
    REQUIRE(batch_reader_next(&r, &lines, &at, &got) == ERR_OK && got);
    CHECK_STR(lines, STR("{\"a\":1}\n{\"a\":2}\n"));
    CHECK_STR(at, STR("{\"done\":2}"));
    REQUIRE(batch_reader_next(&r, &lines, &at, &got) == ERR_OK && got);
    CHECK_STR(lines, STR(""));
    CHECK_STR(at, STR("{\"done\":3}"));
    CHECK(batch_reader_next(&r, &lines, &at, &got) == ERR_OK && !got);
    append(dir, "x\n", 1, "4"); /* a reader at the end sees what comes later */
    REQUIRE(batch_reader_next(&r, &lines, &at, &got) == ERR_OK && got);
    CHECK_STR(at, STR("4"));
    batch_reader_close(&r);
    expect_position(dir, "4");
}

/* Cut the second batch at every byte: the first stays, the tail goes, and writing goes on. */
TEST(batch_log_torn_at_every_byte)
{
    const char *dir = fresh();
    char path[128];

    append(dir, "{\"a\":1}\n", 1, "1");
    segment_name(dir, 1, path, sizeof(path));
    int64_t first = size_of(path);
    append(dir, "{\"a\":2}\n{\"a\":3}\n", 2, "2");
    int64_t whole = size_of(path);
    REQUIRE(first > 0 && whole > first);
    for (int64_t cut = first; cut < whole; cut++) {
        REQUIRE(truncate(path, cut) == 0);
        expect_position(dir, "1");
        CHECK_INT(size_of(path), first);
        append(dir, "{\"a\":2}\n{\"a\":3}\n", 2, "2");
        CHECK_INT(size_of(path), whole);
    }
    expect_position(dir, "2");
}

/* The first batch ever, torn: the log is empty again. */
TEST(batch_log_first_batch_torn)
{
    const char *dir = fresh();
    char path[128];

    append(dir, "{\"a\":1}\n", 1, "1");
    segment_name(dir, 1, path, sizeof(path));
    REQUIRE(truncate(path, size_of(path) - 1) == 0);
    expect_position(dir, "");
    CHECK_INT(size_of(path), 0);
}

static void flip(const char *path, int64_t at)
{
    char c;
    int fd = open(path, O_RDWR);

    REQUIRE(fd >= 0 && pread(fd, &c, 1, at) == 1);
    c = (char)(c ^ 1);
    CHECK(pwrite(fd, &c, 1, at) == 1);
    close(fd);
}

/* Pages of the last batch that never reached the disk are a torn batch; damage before it is not,
 * and nothing may be cut then. */
TEST(batch_log_damage)
{
    const char *dir = fresh();
    struct batch_log *l = NULL;
    struct batch_reader r;
    struct str lines, at;
    struct buf position;
    char path[128];
    bool got;

    append(dir, "{\"a\":1}\n", 1, "1");
    segment_name(dir, 1, path, sizeof(path));
    int64_t first = size_of(path);
    append(dir, "{\"a\":2}\n", 1, "2");
    flip(path, first + 5);
    expect_position(dir, "1");
    append(dir, "{\"a\":2}\n", 1, "2");
    int64_t whole = size_of(path);
    flip(path, 5);
    buf_init(&position, BUF_MAX_LINE);
    CHECK(batch_log_open(&l, dir, SEGMENT, &position) == ERR_CORRUPT);
    CHECK_INT(size_of(path), whole);
    REQUIRE(batch_reader_open(&r, dir) == ERR_OK);
    CHECK(batch_reader_next(&r, &lines, &at, &got) == ERR_CORRUPT);
    batch_reader_close(&r);
    buf_release(&position);
}

TEST(batch_log_one_writer)
{
    const char *dir = fresh();
    struct batch_log *a = NULL, *b = NULL;
    struct buf at;

    buf_init(&at, BUF_MAX_LINE);
    REQUIRE(batch_log_open(&a, dir, SEGMENT, &at) == ERR_OK);
    CHECK(batch_log_open(&b, dir, SEGMENT, &at) == ERR_CONFLICT);
    batch_log_close(a);
    CHECK(batch_log_open(&b, dir, SEGMENT, &at) == ERR_OK);
    batch_log_close(b);
    buf_release(&at);
}

/* Batches never span segments; a segment made just before a crash may be empty. */
TEST(batch_log_segments)
{
    const char *dir = fresh();
    struct batch_log *l = NULL;
    struct batch_reader r;
    struct buf at;
    struct str lines, position;
    char text[32], path[128];
    bool got;

    buf_init(&at, BUF_MAX_LINE);
    REQUIRE(batch_log_open(&l, dir, 300, &at) == ERR_OK);
    for (int i = 1; i <= 20; i++) {
        snprintf(text, sizeof(text), "%d", i);
        CHECK(batch_log_append(l, STR("{\"a\":1}\n"), 1, str_of(text)) == ERR_OK);
    }
    batch_log_close(l);
    int last = 1;
    for (; segment_name(dir, last + 1, path, sizeof(path)), size_of(path) >= 0;)
        last++;
    CHECK(last > 5);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    expect_position(dir, "20");
    REQUIRE(batch_reader_open(&r, dir) == ERR_OK);
    for (int i = 1; i <= 20; i++) {
        snprintf(text, sizeof(text), "%d", i);
        REQUIRE(batch_reader_next(&r, &lines, &position, &got) == ERR_OK && got);
        CHECK_STR(position, str_of(text));
    }
    CHECK(batch_reader_next(&r, &lines, &position, &got) == ERR_OK && !got);
    batch_reader_close(&r);
    buf_release(&at);
}

TEST(batch_log_too_large)
{
    const char *dir = fresh();
    struct batch_log *l = NULL;
    struct buf at;
    size_t n = (size_t)BATCH_LOG_MAX;
    char *big = malloc(n);

    REQUIRE(big != NULL);
    memset(big, 'x', n);
    big[n - 1] = '\n';
    buf_init(&at, BUF_MAX_LINE);
    REQUIRE(batch_log_open(&l, dir, SEGMENT, &at) == ERR_OK);
    CHECK(batch_log_append(l, (struct str){big, n}, 1, STR("1")) == ERR_FULL);
    CHECK(batch_log_append(l, STR("x\n"), 1, STR("2")) == ERR_OK); /* and goes on */
    batch_log_close(l);
    expect_position(dir, "2");
    buf_release(&at);
    free(big);
}
