/* The basics every part stands on: arena, buffer, strings, hashes, errors, settings, clock. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/hash.h"
#include "base/json_scan.h"
#include "t.h"

/* ---- arena ---- */

TEST(arena_gives_zeroed_aligned_memory)
{
    struct arena *a = arena_new();
    size_t sizes[] = {0, 1, 15, 16, 17, 100, 2000, 4096, 5000, 100000};

    for (size_t round = 0; round < 50; round++)
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            unsigned char *p = arena_alloc(a, sizes[i]);
            REQUIRE(p && (uintptr_t)p % 16 == 0);
            for (size_t k = 0; k < sizes[i]; k++)
                CHECK(p[k] == 0);
            memset(p, 0xff, sizes[i]);
        }
    CHECK(arena_used(a) >= 50 * 111245);
    arena_free(a);
    arena_free(NULL);
}

static char order[8];

static void note(void *p)
{
    order[strlen(order)] = *(const char *)p;
}

TEST(arena_defers_run_last_first_before_the_memory_goes)
{
    struct arena *a = arena_new();

    arena_defer(a, note, arena_copy(a, "1", 1));
    arena_defer(a, note, arena_copy(a, "2", 1));
    arena_defer(a, note, arena_copy(a, "3", 1));
    arena_free(a);
    CHECK_STR(str_of(order), STR("321"));
}

TEST(arena_copies_end_in_nul)
{
    struct arena *a = arena_new();
    struct str s = arena_str(a, (struct str){"abcdef", 3});

    CHECK_STR(s, STR("abc"));
    CHECK_INT(s.p[3], 0);
    CHECK_STR(str_of(arena_copy(a, NULL, 0)), STR(""));
    CHECK_STR(str_of(arena_printf(a, "%d-%s", 42, "x")), STR("42-x"));
    char *big = arena_printf(a, "%10000d", 1);
    CHECK_INT(strlen(big), 10000);
    CHECK(arena_array(a, 0, 8) != NULL);
    arena_free(a);
}

/* ---- buf ---- */

TEST(buf_stops_at_its_maximum_and_remembers)
{
    struct buf b;

    buf_init(&b, 5);
    CHECK_STR(buf_view(&b), STR(""));
    buf_puts(&b, "abc");
    buf_puts(&b, "def"); /* one too many */
    CHECK_INT(buf_err(&b), ERR_FULL);
    buf_puts(&b, "d");
    CHECK_STR(buf_view(&b), STR("abc"));
    buf_clear(&b);
    CHECK_INT(buf_err(&b), ERR_OK);
    buf_printf(&b, "%s", "12345");
    CHECK_STR(buf_view(&b), STR("12345"));
    CHECK_INT(b.p[5], 0);
    buf_printf(&b, "%d", 6);
    CHECK_INT(buf_err(&b), ERR_FULL);
    buf_release(&b);
    CHECK(b.p == NULL && b.max == 5);
    buf_release(&b);
}

TEST(buf_add_of_an_absurd_size_fails)
{
    struct buf b;

    buf_init(&b, 100);
    buf_putc(&b, 'x');
    buf_add(&b, "y", SIZE_MAX);
    CHECK_INT(buf_err(&b), ERR_FULL);
    CHECK_STR(buf_view(&b), STR("x"));
    buf_release(&b);
}

TEST(buf_prints_integers_and_hex)
{
    struct buf b;

    buf_init(&b, 1000);
    buf_int(&b, 0);
    buf_putc(&b, ' ');
    buf_int(&b, INT64_MIN);
    buf_putc(&b, ' ');
    buf_int(&b, INT64_MAX);
    buf_putc(&b, ' ');
    buf_hex(&b, "\x00\xaf\x10", 3);
    CHECK_STR(buf_view(&b), STR("0 -9223372036854775808 9223372036854775807 00af10"));
    buf_release(&b);
}

TEST(buf_json_escapes)
{
    struct buf b;

    buf_init(&b, 1000);
    buf_json(&b, STR("a\"\\\b\f\n\r\t\x01\x1f\x7f/\xc3\xa9\0z"));
    CHECK_STR(buf_view(&b), STR("\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\xc3\xa9\\u0000z\""));
    buf_clear(&b);
    buf_json(&b, STR(""));
    CHECK_STR(buf_view(&b), STR("\"\""));
    buf_release(&b);
}

/* Whatever the bytes below 0x80, the result is JSON the strict scanner takes (NUL apart). */
TEST(buf_json_is_strict_json)
{
    struct buf b;
    char text[2] = {0, 'x'};

    buf_init(&b, 1000);
    for (int c = 1; c < 0x80; c++) {
        text[0] = (char)c;
        buf_clear(&b);
        buf_json(&b, (struct str){text, 2});
        CHECK(json_scan(buf_view(&b), 1, NULL) == ERR_OK);
    }
    buf_release(&b);
}

TEST(buf_chop_takes_one_comma)
{
    struct buf b;

    buf_init(&b, 10);
    buf_chop(&b, ',');
    buf_puts(&b, "a,,");
    buf_chop(&b, ',');
    CHECK_STR(buf_view(&b), STR("a,"));
    CHECK_INT(b.p[2], 0);
    buf_chop(&b, 'x');
    CHECK_STR(buf_view(&b), STR("a,"));
    buf_release(&b);
}

/* ---- str ---- */

TEST(str_compares)
{
    CHECK(
        str_eq(STR("a"), STR("a")) && !str_eq(STR("a"), STR("b")) && !str_eq(STR("a"), STR("aa")));
    CHECK(str_eq((struct str){NULL, 0}, STR("")));
    CHECK(str_is(STR("a\0b"), "a") == false);
    CHECK(str_ieq(STR("Content-Type"), STR("content-TYPE")) && !str_ieq(STR("a"), STR("ab")));
    CHECK(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")));
    CHECK(str_starts(STR("a"), STR("")));
    CHECK_STR(str_trim(STR(" \t a b\r\n")), STR("a b"));
    CHECK_STR(str_trim(STR("  ")), STR(""));
}

TEST(str_splits)
{
    struct str rest = STR("a,,b"), part;

    CHECK(str_split(&rest, ',', &part) && str_is(part, "a"));
    CHECK(str_split(&rest, ',', &part) && str_is(part, ""));
    CHECK(str_split(&rest, ',', &part) && str_is(part, "b"));
    CHECK(!str_split(&rest, ',', &part));
    rest = STR("");
    CHECK(str_split(&rest, ',', &part) && part.n == 0);
    CHECK(!str_split(&rest, ',', &part));
    rest = STR("a,");
    CHECK(str_split(&rest, ',', &part) && str_split(&rest, ',', &part) && part.n == 0);
    CHECK(!str_split(&rest, ',', &part));
}

TEST(str_int_is_strict)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = 77;
        CHECK(str_int(str_of(cases[i].text), &v) == cases[i].ok);
        CHECK(v == (cases[i].ok ? cases[i].value : 77));
    }
}

/* ---- hash ---- */

TEST(sha256_vectors)
{
    char hex[SHA256_HEX + 1];
    struct sha256 parsed, abc = sha256_of(STR("abc"));
    struct str parts[] = {STR("a"), STR(""), STR("bc")};

    sha256_hex(sha256_of(STR("")), hex);
    CHECK_STR(str_of(hex), STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    sha256_hex(abc, hex);
    CHECK_STR(str_of(hex), STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK(sha256_eq(abc, sha256_parts(parts, ARRAY_LEN(parts))));
    struct sha256_ctx *c = sha256_new();
    sha256_add(c, "ab", 2);
    sha256_add(c, "c", 1);
    CHECK(sha256_eq(abc, sha256_end(c)));
    CHECK(sha256_u64(abc) == 0xba7816bf8f01cfeaULL);
    CHECK(sha256_parse(str_of(hex), &parsed) && sha256_eq(parsed, abc));
    hex[10] = 'F';
    CHECK(sha256_parse(str_of(hex), &parsed));
    hex[10] = 'g';
    CHECK(!sha256_parse(str_of(hex), &parsed));
    CHECK(!sha256_parse((struct str){hex, 63}, &parsed) && !sha256_parse(STR(""), &parsed));
}

TEST(random_bytes_differ)
{
    unsigned char a[32] = {0}, b[32] = {0};

    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
}

/* ---- errors and clock ---- */

TEST(every_error_has_a_status_a_slug_and_a_title)
{
    for (int e = 0; e < ERR_COUNT; e++) {
        CHECK(err_status((enum err)e) >= 200 && err_status((enum err)e) < 600);
        CHECK(*err_slug((enum err)e) && *err_title((enum err)e));
        for (int other = 0; other < e; other++)
            CHECK(strcmp(err_slug((enum err)e), err_slug((enum err)other)) != 0);
    }
    CHECK_INT(err_status(ERR_VERSION), 412);
}

TEST(clock_can_be_set_and_prints_rfc_3339)
{
    char now[32];
    int64_t before = clock_mono_us();

    clock_set(1700000000);
    CHECK_INT(clock_unix(), 1700000000);
    clock_set(0);
    CHECK(clock_unix() > 1700000000);
    CHECK(clock_mono_us() >= before);
    clock_rfc3339(now, sizeof(now));
    CHECK_INT(strlen(now), 24);
    CHECK(now[4] == '-' && now[10] == 'T' && now[19] == '.' && now[23] == 'Z');
}

/* ---- settings ---- */

static int load(const char *a, const char *b, const char *c)
{
    char *argv[] = {(char *)"prog", (char *)a, (char *)b, (char *)c, NULL};
    int argc = 1;

    while (argv[argc])
        argc++;
    return config_load(PROGRAM_SERVER, "a test", argc, argv);
}

TEST(config_precedence_is_option_variable_file_default)
{
    char path[] = "/tmp/annotate-config-XXXXXX";
    int fd = mkstemp(path);
    const char *text = "# comment\n\n threads = 3 \ndb-queue=7\ndrain_ms = 1\nengine = fake\n";

    REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    setenv("ANNOTATE_THREADS", "4", 1);
    setenv("ANNOTATE_DRAIN_MS", "2", 1);
    char option[80];
    snprintf(option, sizeof(option), "--config=%s", path);
    CHECK_INT(load(option, "--drain-ms", "5"), 4);
    CHECK_INT(config_int(CONFIG_threads), 4);  /* the variable beats the file */
    CHECK_INT(config_int(CONFIG_db_queue), 7); /* the file beats the default */
    CHECK_INT(config_int(CONFIG_drain_ms), 5); /* the option beats all */
    CHECK_INT(config_int(CONFIG_idle_deadline_ms), 30000);
    CHECK_STR(str_of(config_str(CONFIG_web_root)), STR("web-static/dist"));
    config_set(CONFIG_threads, "8");
    CHECK_INT(config_int(CONFIG_threads), 8);
    unlink(path);
}

TEST(config_stops_at_the_first_argument)
{
    CHECK_INT(load("--threads=2", "import", "--threads=9"), 2);
    CHECK_INT(config_int(CONFIG_threads), 2);
    CHECK_INT(load("--", "--threads", NULL), 2);
    CHECK_INT(load(NULL, NULL, NULL), 1);
}

static void quiet_exit(const char *a, const char *b)
{
    if (!freopen("/dev/null", "w", stderr))
        exit(1);
    load(a, b, NULL);
    exit(0);
}

/* The exit status of a start with these arguments. */
static int exit_of(const char *a, const char *b)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        quiet_exit(a, b);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

TEST(config_refuses_what_it_does_not_know)
{
    CHECK_INT(exit_of("--threads", "2"), 0);
    CHECK_INT(exit_of("--no-such-option", "2"), 2);
    CHECK_INT(exit_of("--engine", "fake"), 2); /* another program's */
    CHECK_INT(exit_of("--threads", "65"), 2);
    CHECK_INT(exit_of("--threads", "-1"), 2);
    CHECK_INT(exit_of("--threads", "many"), 2);
    CHECK_INT(exit_of("--threads=", NULL), 2);
    CHECK_INT(exit_of("--threads", NULL), 2);
    CHECK_INT(exit_of("--config", "/no/such/file"), 2);
}
