/* prelabel/sandbox: the child does its work, cannot do anything else, and is replaced. */
#include "workers/prelabel/sandbox.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "t.h"

static const struct decode_spec four = {2, 2, 1};

/* A "decoder" whose files are orders: the first byte says what to try. */
static enum err obey(const struct decode_spec *spec, struct str file, unsigned char *out)
{
    struct timespec hour = {3600, 0};
    char byte = 'x';

    memset(out, 7, decode_size(spec));
    switch (file.n ? file.p[0] : 0) {
    case 'o':
        return open("/etc/passwd", O_RDONLY) >= 0 ? ERR_OK : ERR_OK;
    case 's':
        return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? ERR_OK : ERR_OK;
    case 'f':
        return fork() >= 0 ? ERR_OK : ERR_OK;
    case 'k':
        return kill(getppid(), SIGTERM) ? ERR_OK : ERR_OK;
    case 'x':
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ? ERR_OK
                                                                                           : ERR_OK;
    case 'n':
        return nanosleep(&hour, NULL) ? ERR_OK : ERR_OK;
    case 'l':
        for (volatile bool loop = true; loop;)
            ;
        return ERR_OK;
    case 'a':
        abort();
    case 'w': /* speaks out of turn: what follows is no longer what it seems */
        if (write(3, &byte, 1) != 1)
            abort();
        return ERR_OK;
    case 'e':
        return ERR_CORRUPT;
    default:
        return ERR_OK;
    }
}

static enum err order(struct sandbox *s, const char *what)
{
    unsigned char out[4] = {0};
    enum err e = sandbox_decode(s, &four, str_of(what), out);

    if (e == ERR_OK)
        CHECK(out[0] == 7 && out[3] == 7);
    return e;
}

TEST(sandbox_kills_what_it_must)
{
    /* opening a file, a socket, a process, a signal, code pages, sleeping, dying, lying */
    static const char *const deeds[] = {"o", "s", "f", "k", "x", "n", "a", "w"};
    struct sandbox *s;

    REQUIRE(sandbox_start(&s, obey) == ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        CHECK(order(s, "-") == ERR_OK);
        int before = sandbox_children(s);
        enum err e = order(s, deeds[i]);
        if (e != ERR_CORRUPT)
            t_fail(__FILE__, __LINE__, "deed %s: %s", deeds[i], err_slug(e));
        CHECK(order(s, "-") == ERR_OK); /* the next file is none the wiser */
        CHECK_INT(sandbox_children(s), before + 1);
    }
    sandbox_stop(s);
}

TEST(sandbox_gives_up_on_a_loop)
{
    struct sandbox *s;

    REQUIRE(sandbox_start(&s, obey) == ERR_OK);
    sandbox_patience(s, 300);
    int64_t start = clock_mono_us();
    CHECK(order(s, "l") == ERR_TIMEOUT);
    CHECK(clock_mono_us() - start < 2000 * 1000);
    CHECK(order(s, "-") == ERR_OK);
    sandbox_stop(s);
}

TEST(sandbox_replaces_its_children)
{
    struct sandbox *s;

    REQUIRE(sandbox_start(&s, obey) == ERR_OK);
    for (int i = 0; i < SANDBOX_FILES; i++)
        REQUIRE(order(s, "-") == ERR_OK);
    CHECK_INT(sandbox_children(s), 1);
    CHECK(order(s, "-") == ERR_OK);
    CHECK_INT(sandbox_children(s), 2);
    CHECK(order(s, "e") == ERR_CORRUPT); /* an error, honestly said */
    CHECK(order(s, "-") == ERR_OK);
    CHECK_INT(sandbox_children(s), 3);
    sandbox_stop(s);
}

TEST(sandbox_bounds)
{
    struct sandbox *s;
    unsigned char out[4];
    size_t n = (size_t)DECODE_FILE + 1;
    char *big = calloc(1, n);

    REQUIRE(big && sandbox_start(&s, obey) == ERR_OK);
    CHECK(sandbox_decode(s, &four, (struct str){big, n}, out) == ERR_TOO_LARGE);
    CHECK_INT(sandbox_children(s), 0);
    big[0] = '-';
    CHECK(sandbox_decode(s, &four, (struct str){big, n - 1}, out) == ERR_OK); /* much more than
                                                                               a socket buffer */
    CHECK(sandbox_decode(s, &four, (struct str){"", 0}, out) == ERR_OK);
    free(big);
    sandbox_stop(s);
}

TEST(sandbox_decodes)
{
    /* a 1x1 gray PNG of value 0x80, as any encoder writes it */
    static const unsigned char png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
        'I', 'H', 'D', 'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0,
        10, 'I', 'D', 'A', 'T', 0x78, 0x9c, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0x77, 0xcd, 0x72,
        0xb6, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
    struct sandbox *s;
    unsigned char out[4] = {0};

    REQUIRE(sandbox_start(&s, NULL) == ERR_OK);
    for (int i = 0; i < 3; i++)
        CHECK(
            sandbox_decode(s, &four, (struct str){(const char *)png, sizeof(png)}, out) == ERR_OK);
    CHECK(out[0] == 0x80 && out[3] == 0x80);
    CHECK(sandbox_decode(s, &four, (struct str){(const char *)png, 40}, out) == ERR_CORRUPT);
    CHECK(sandbox_decode(s, &four, STR("GIF89a"), out) == ERR_MEDIA_TYPE);
    sandbox_stop(s);
}
