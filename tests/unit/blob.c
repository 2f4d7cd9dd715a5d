/* Blobs: round trips, key rules, ranges, uploads, threads, on both backends
 * (tests/support/store.h); on fs also links, leftovers, and crashes at every fault point. */
#include "storage/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store.h"
#include "t.h"

static void only_fs(void)
{
    if (!store_is_fs())
        t_skip("of a directory only");
}

static int files_in(const char *sub)
{
    char path[128];
    int n = 0;

    if (!store_is_fs())
        return 0;

    snprintf(path, sizeof(path), "%s/%s", store_dir, sub);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static void shell_path(char *out, size_t size, const char *sub)
{
    snprintf(out, size, "%s/%s", store_dir, sub);
}

TEST(put_and_get)
{
    struct blob_store s;
    struct str parts[] = {STR("hello"), STR(""), STR(", "), STR("world")};
    struct sha256 hash = sha256_of(STR("hello, world"));
    struct buf out;
    int64_t n = 0;

    store_fresh(&s);
    buf_init(&out, 100);
    CHECK_INT(blob_put(&s, "a/b/c.json", parts, 4), ERR_OK);
    CHECK_INT(blob_get(&s, "a/b/c.json", 0, 0, &hash, &out), ERR_OK);
    CHECK_STR(buf_view(&out), STR("hello, world"));
    CHECK_INT(blob_size(&s, "a/b/c.json", &n), ERR_OK);
    CHECK_INT(n, 12);
    CHECK_INT(blob_put(&s, "a/b/c.json", parts, 4), ERR_OK); /* again is fine */
    CHECK_INT(blob_get(&s, "a/b/c.json", 7, 5, NULL, &out), ERR_OK);
    CHECK_STR(buf_view(&out), STR("hello, worldworld"));
    CHECK_INT(files_in(".tmp"), 0);
    CHECK_INT(blob_remove(&s, "a/b/c.json"), ERR_OK);
    CHECK_INT(blob_remove(&s, "a/b/c.json"), ERR_OK);
    CHECK_INT(blob_remove(&s, "never/was"), ERR_OK);
    CHECK_INT(blob_size(&s, "a/b/c.json", &n), ERR_NOT_FOUND);
    buf_release(&out);
    blob_close(&s);
}

TEST(get_refuses)
{
    struct blob_store s;
    struct str part = STR("0123456789");
    struct sha256 other = sha256_of(STR("x"));
    struct buf out;

    store_fresh(&s);
    buf_init(&out, 12);
    REQUIRE(blob_put(&s, "k", &part, 1) == ERR_OK);
    CHECK_INT(blob_get(&s, "absent", 0, 0, NULL, &out), ERR_NOT_FOUND);
    CHECK_INT(blob_get(&s, "k/below", 0, 0, NULL, &out), ERR_NOT_FOUND);
    CHECK_INT(blob_get(&s, "k", 0, 11, NULL, &out), ERR_RANGE);
    CHECK_INT(blob_get(&s, "k", 11, 0, NULL, &out), ERR_RANGE);
    CHECK_INT(blob_get(&s, "k", 10, 1, NULL, &out), ERR_RANGE);
    CHECK_INT(blob_get(&s, "k", -1, 1, NULL, &out), ERR_RANGE);
    CHECK_INT(blob_get(&s, "k", 0, -1, NULL, &out), ERR_RANGE);
    CHECK_INT(blob_get(&s, "k", INT64_MAX, INT64_MAX, NULL, &out), ERR_RANGE);
    CHECK_INT(blob_get(&s, "k", 0, 0, &other, &out), ERR_CORRUPT);
    CHECK_INT((int64_t)out.n, 0); /* what did not match is not handed out */
    buf_puts(&out, "abc");
    CHECK_INT(blob_get(&s, "k", 0, 0, NULL, &out), ERR_FULL);
    CHECK_STR(buf_view(&out), STR("abc"));
    CHECK_INT(blob_get(&s, "k", 1, 9, NULL, &out), ERR_OK);
    CHECK_STR(buf_view(&out), STR("abc123456789"));
    buf_release(&out);
    blob_close(&s);
}

TEST(keys)
{
    static const char *const good[] = {"a", "a/b", "packs/1/0a/0a.b_c-d", "a.b/c..d"};
    static const char *const bad[] = {"", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..",
        ".", "./a", "a/./b", ".tmp/x", "A", "a b", "a\n", "a\\b", "a:b", "\xc3\xa9", "a%2fb", "~"};
    char big[BLOB_KEY_MAX + 2];
    struct blob_store s;
    struct str part = STR("x");

    store_fresh(&s);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        CHECK(blob_key_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (blob_put(&s, bad[i], &part, 1) != ERR_INVALID)
            t_fail(__FILE__, __LINE__, "the key «%s» was taken", bad[i]);
    }
    memset(big, 'a', sizeof(big));
    big[BLOB_KEY_MAX + 1] = '\0';
    CHECK(!blob_key_valid(big));
    big[BLOB_KEY_MAX] = '\0';
    CHECK(blob_key_valid(big));
    blob_close(&s);
}

TEST(open_refuses)
{
    struct blob_store s;

    CHECK_INT(blob_open(&s, "s4:x"), ERR_INVALID);
    blob_close(&s);
    CHECK_INT(blob_open(&s, ""), ERR_INVALID);
    blob_close(&s);
    CHECK_INT(blob_open(&s, "fs:"), ERR_INVALID);
    blob_close(&s);
    CHECK_INT(blob_open(&s, "fs:/proc/nowhere/blobs"), ERR_IO);
    blob_close(&s);
}

static void links(void)
{
    struct blob_store s;
    struct str part = STR("secret");
    struct buf out;
    char path[128], target[128];

    only_fs();
    store_fresh(&s);
    buf_init(&out, 100);
    REQUIRE(blob_put(&s, "real/file", &part, 1) == ERR_OK);
    shell_path(path, sizeof(path), "link");
    REQUIRE(symlink("/etc", path) == 0);
    CHECK(blob_get(&s, "link/passwd", 0, 0, NULL, &out) != ERR_OK);
    CHECK(blob_put(&s, "link/evil", &part, 1) != ERR_OK);
    shell_path(target, sizeof(target), "real/file");
    shell_path(path, sizeof(path), "alias");
    REQUIRE(symlink(target, path) == 0);
    CHECK(blob_get(&s, "alias", 0, 0, NULL, &out) != ERR_OK);
    CHECK_INT((int64_t)out.n, 0);
    CHECK(access("/etc/evil", F_OK) != 0);
    CHECK(blob_get(&s, "real", 0, 0, NULL, &out) == ERR_NOT_FOUND); /* a directory is no object */
    buf_release(&out);
    blob_close(&s);
}

TEST(links_are_not_followed)
{
    links();
}

/* A kernel or sandbox that does not know openat2 gets the same protection, step by step. */
TEST(links_are_not_followed_without_openat2)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {ARRAY_LEN(code), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0))
        t_skip("no seccomp here");
    links();
}

TEST(uploads)
{
    struct blob_store s;
    struct blob_upload *u;
    struct sha256 hash, want = sha256_of(STR("onetwo"));
    char key[160];
    int64_t bytes = 0;
    struct buf out;

    store_fresh(&s);
    buf_init(&out, 100);
    for (int twice = 0; twice < 2; twice++) {
        REQUIRE(blob_upload_begin(&s, &u) == ERR_OK);
        CHECK_INT(blob_upload_write(u, "one", 3), ERR_OK);
        CHECK_INT(blob_upload_write(u, "", 0), ERR_OK);
        CHECK_INT(blob_upload_write(u, "two", 3), ERR_OK);
        CHECK_INT(blob_upload_commit(u, 7, &hash, &bytes), ERR_OK);
        CHECK(sha256_eq(hash, want));
        CHECK_INT(bytes, 6);
    }
    blob_asset_key(7, hash, key, sizeof(key));
    CHECK(strncmp(key, "assets/7/", 9) == 0);
    CHECK_INT(blob_get(&s, key, 0, 0, &want, &out), ERR_OK);
    CHECK_STR(buf_view(&out), STR("onetwo"));
    REQUIRE(blob_upload_begin(&s, &u) == ERR_OK);
    CHECK_INT(blob_upload_write(u, "gone", 4), ERR_OK);
    blob_upload_abort(u);
    blob_upload_abort(NULL);
    CHECK_INT(files_in(".tmp"), 0);
    buf_release(&out);
    blob_close(&s);
}

static bool in_tmp(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/.tmp/%s", store_dir, name);
    return access(path, F_OK) == 0;
}

/* What a crashed writer left goes at the next start, an upload under way stays. */
TEST(old_leftovers_are_swept)
{
    struct timespec old[2] = {{1000, 0}, {1000, 0}};
    struct blob_store s, again;
    struct blob_upload *u;
    char path[128], spec[80];
    int fd;

    only_fs();
    store_fresh(&s);
    REQUIRE(blob_upload_begin(&s, &u) == ERR_OK);
    shell_path(path, sizeof(path), ".tmp/left");
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    REQUIRE(fd >= 0 && close(fd) == 0);
    snprintf(spec, sizeof(spec), "fs:%s", store_dir);
    REQUIRE(blob_open(&again, spec) == ERR_OK);
    blob_close(&again);
    CHECK(in_tmp("left"));
    REQUIRE(utimensat(AT_FDCWD, path, old, 0) == 0);
    REQUIRE(blob_open(&again, spec) == ERR_OK);
    CHECK(!in_tmp("left") && files_in(".tmp") == 1);
    blob_upload_abort(u);
    blob_close(&again);
    blob_close(&s);
}

/* A disk that is full: a file size limit makes write(2) short, then fail. */
TEST(nothing_half_stored_when_full)
{
    struct blob_store s;
    char *big = malloc(1 << 20);
    struct str part = {big, 1 << 20};
    struct rlimit lim = {300000, 300000};
    struct blob_upload *u;
    struct sha256 hash;
    int64_t bytes;

    only_fs();
    REQUIRE(big != NULL);
    memset(big, 'x', 1 << 20);
    store_fresh(&s);
    signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &lim) == 0);
    CHECK_INT(blob_put(&s, "big/one", &part, 1), ERR_IO);
    CHECK_INT(blob_size(&s, "big/one", &bytes), ERR_NOT_FOUND);
    REQUIRE(blob_upload_begin(&s, &u) == ERR_OK);
    CHECK_INT(blob_upload_write(u, big, 1 << 20), ERR_IO);
    CHECK_INT(blob_upload_write(u, "x", 1), ERR_IO);
    CHECK_INT(blob_upload_commit(u, 1, &hash, &bytes), ERR_IO);
    CHECK_INT(files_in(".tmp"), 0);
    part.n = 1000;
    CHECK_INT(blob_put(&s, "big/one", &part, 1), ERR_OK); /* it recovers by itself */
    free(big);
    blob_close(&s);
}

#ifdef ANNOTATE_FAULTS
enum { PARTS = 150 }; /* three writes */

static enum err put_many(struct blob_store *s)
{
    struct str parts[PARTS];

    for (size_t i = 0; i < PARTS; i++)
        parts[i] = STR("0123456789");
    return blob_put(s, "x/y/object", parts, PARTS);
}

static bool whole_or_absent(struct blob_store *s, bool *there)
{
    int64_t bytes = 0;
    enum err e = blob_size(s, "x/y/object", &bytes);

    *there = e == ERR_OK;
    return e == ERR_NOT_FOUND || (e == ERR_OK && bytes == PARTS * 10);
}

/* The process dies at each passing of each fault point: a reader then sees the whole object or
 * none, and the next put succeeds. */
TEST(crash_leaves_no_half_object)
{
    static const struct {
        const char *point;
        int nth;
        bool there;
    } rows[] = {{"blob.put.write", 1, false}, {"blob.put.write", 2, false},
        {"blob.put.write", 3, false}, {"blob.put.fsync", 1, false},
        {"blob.put.fsync_dir", 1, false}, {"blob.put.fsync_dir", 2, false},
        {"blob.put.rename", 1, false}, {"blob.put.fsync_dir", 3, true}};

    only_fs();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct blob_store s;
        char spec[80];
        bool there = false;
        int status = 0;
        pid_t pid;
        store_fresh(&s);
        pid = fork();
        if (pid == 0) {
            snprintf(spec, sizeof(spec), "%s:%d:kill", rows[i].point, rows[i].nth);
            setenv("ANNOTATE_FAULT", spec, 1);
            _exit(put_many(&s) ? 1 : 0);
        }
        REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        CHECK(whole_or_absent(&s, &there));
        if (there != rows[i].there)
            t_fail(__FILE__, __LINE__, "%s:%d: there is %d", rows[i].point, rows[i].nth, there);
        CHECK_INT(put_many(&s), ERR_OK);
        CHECK(whole_or_absent(&s, &there) && there);
        blob_close(&s);
        store_remove();
    }
}

/* The same points fail instead: an error comes back and nothing stays behind. */
TEST(failure_leaves_nothing)
{
    static const char *const points[] = {"blob.put.write:2", "blob.put.fsync:1",
        "blob.put.fsync_dir:1", "blob.put.fsync_dir:2", "blob.put.rename:1"};

    only_fs();
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        struct blob_store s;
        char spec[80];
        bool there = false;
        int status = 0;
        pid_t pid;
        store_fresh(&s);
        pid = fork();
        if (pid == 0) {
            snprintf(spec, sizeof(spec), "%s:err", points[i]);
            setenv("ANNOTATE_FAULT", spec, 1);
            _exit(put_many(&s) == ERR_IO && files_in(".tmp") == 0 ? 0 : 1);
        }
        REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(whole_or_absent(&s, &there) && !there);
        blob_close(&s);
        store_remove();
    }
}
#endif

struct racer {
    struct blob_store *s;
    int id, failures;
};

static void *race(void *arg)
{
    struct racer *r = arg;

    for (int i = 0; i < 40; i++) {
        char key[64], body[64];
        snprintf(key, sizeof(key), "race/%d/%d", i % 4, i);
        snprintf(body, sizeof(body), "body of %d", i);
        struct str part = str_of(body);
        struct sha256 hash = sha256_of(part);
        struct buf out;
        buf_init(&out, 100);
        if (blob_put(r->s, key, &part, 1) || blob_get(r->s, key, 0, 0, &hash, &out))
            r->failures++;
        buf_release(&out);
    }
    return NULL;
}

TEST(threads_put_the_same_keys)
{
    struct blob_store s;
    struct racer racers[4];
    pthread_t threads[4];

    store_fresh(&s);
    for (int i = 0; i < 4; i++) {
        racers[i] = (struct racer){&s, i, 0};
        REQUIRE(pthread_create(&threads[i], NULL, race, &racers[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(racers[i].failures, 0);
    }
    CHECK_INT(files_in(".tmp"), 0);
    CHECK_INT(files_in("race/0"), store_is_fs() ? 10 : 0);
    blob_close(&s);
}
