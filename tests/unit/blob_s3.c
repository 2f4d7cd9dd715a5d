/* What only the s3 backend has: settings, multipart, presigned addresses, and a service that fails
 * in every way it can (tests/support/s3.py): nothing is lost, nothing half stored, and the error
 * says what it was. */
#include <stdlib.h>
#include <unistd.h>

#include "io/http_client.h"
#include "storage/s3_upload.h"
#include "store.h"
#include "t.h"

enum { BIG = 2 * S3_PART + 12345 };

/* A store under a prefix of its own; the prefix may ask for a fault. */
static void s3_store(struct blob_store *s, const char *fault, const char *options)
{
    char spec[512], prefix[80];
    uint64_t dice;

    random_bytes(&dice, sizeof(dice));
    snprintf(prefix, sizeof(prefix), "%s%016llx", fault, (unsigned long long)dice);
    if (!store_s3_spec(prefix, options, spec, sizeof(spec)))
        t_skip("no S3 service here; see tests/support/s3.py");
    if (blob_open(s, spec))
        abort();
}

static char *big_bytes(void)
{
    char *p = malloc(BIG);
    uint64_t state = 7;

    if (!p)
        abort();
    for (size_t i = 0; i < BIG; i++)
        p[i] = (char)t_random(&state);
    return p;
}

TEST(s3_settings_refused)
{
    static const char *const bad[] = {"s3:", "s3:bucket", "s3:https://", "s3:https://host",
        "s3:https://host/", "s3:https://host/ab", "s3:ftp://host/bucket", "s3:https:/host/bucket",
        "s3:https://ho st/bucket", "s3:https://user@host/bucket", "s3:https://host/Bucket",
        "s3:https://host/bucket/../x", "s3:https://host/bucket/.x", "s3:https://host/bucket/a b",
        "s3:https://host/bucket//x", "s3:https://host/bucket?", "s3:https://host/bucket?region",
        "s3:https://host/bucket?region=", "s3:https://host/bucket?region=A/b",
        "s3:https://host/bucket?style=x", "s3:https://host/bucket?tries=0",
        "s3:https://host/bucket?tries=21", "s3:https://host/bucket?timeout_s=0",
        "s3:https://host/bucket?timeout_s=9999999999", "s3:https://host/bucket?secret=x",
        "s3:https://host/bucket?tries=3&&region=x"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct blob_store s;
        if (blob_open(&s, bad[i]) != ERR_INVALID)
            t_fail(__FILE__, __LINE__, "«%s» was taken", bad[i]);
        blob_close(&s);
    }
}

TEST(s3_without_a_key)
{
    struct blob_store s;

    CHECK_INT(blob_open(&s, "s3:https://host.invalid/bucket?tries=1"), ERR_INVALID);
    blob_close(&s);
    config_set(CONFIG_s3_access_key_file, "/nowhere");
    CHECK_INT(blob_open(&s, "s3:https://host.invalid/bucket?tries=1"), ERR_INVALID);
    blob_close(&s);
}

/* Only a wrong setting keeps a program from starting; an outage may be over soon. */
TEST(s3_open)
{
    struct blob_store s;
    char spec[512], path[] = "/tmp/annotate-key-XXXXXX";
    struct str part = STR("x");
    int fd = mkstemp(path);

    if (!store_s3_spec("open", "&tries=2", spec, sizeof(spec)))
        t_skip("no S3 service here; see tests/support/s3.py");
    REQUIRE(fd >= 0 && write(fd, "not the secret\n", 15) == 15);
    config_set(CONFIG_s3_secret_key_file, path);
    CHECK_INT(blob_open(&s, spec), ERR_INVALID); /* a blank in it */
    blob_close(&s);
    REQUIRE(pwrite(fd, "not_the_secret\n", 15, 0) == 15);
    CHECK_INT(blob_open(&s, spec), ERR_INVALID); /* SignatureDoesNotMatch */
    blob_close(&s);
    REQUIRE(store_s3_spec("open", "&tries=2", spec, sizeof(spec)));
    config_set(CONFIG_s3_secret_key_file, "/etc/hostname");
    CHECK_INT(blob_open(&s, spec), ERR_INVALID); /* anybody may read it */
    blob_close(&s);
    REQUIRE(store_s3_spec("open", "&tries=2", spec, sizeof(spec)));
    char *bucket = strstr(spec, "/annotate-test");
    REQUIRE(bucket != NULL);
    bucket[1] = 'x';
    CHECK_INT(blob_open(&s, spec), ERR_INVALID); /* NoSuchBucket */
    blob_close(&s);
    CHECK_INT(blob_open(&s, "s3:http://127.0.0.1:1/bucket?tries=2"), ERR_OK); /* nobody there */
    CHECK_INT(blob_put(&s, "k", &part, 1), ERR_UNAVAILABLE);
    blob_close(&s);
    close(fd);
    unlink(path);
}

TEST(s3_bucket_in_the_host)
{
    struct blob_store s;
    struct str part = STR("by name");
    char spec[512], *at;
    const char *port;
    struct buf out;

    if (!store_s3_spec("named", "&style=host", spec, sizeof(spec)))
        t_skip("no S3 service here; see tests/support/s3.py");
    at = strstr(spec, "127.0.0.1");
    REQUIRE(at != NULL);
    port = at + 9;
    memcpy(at, "localhost", 9);
    CHECK(*port == ':');
    buf_init(&out, 100);
    REQUIRE(blob_open(&s, spec) == ERR_OK);
    CHECK_INT(blob_put(&s, "a/~b", &part, 1), ERR_INVALID);
    CHECK_INT(blob_put(&s, "a/b", &part, 1), ERR_OK);
    CHECK_INT(blob_get(&s, "a/b", 0, 0, NULL, &out), ERR_OK);
    CHECK_STR(buf_view(&out), part);
    buf_release(&out);
    blob_close(&s);
}

TEST(s3_empty_objects)
{
    struct blob_store s;
    struct str nothing = STR("");
    int64_t bytes = -1;
    struct buf out;

    s3_store(&s, "", "");
    buf_init(&out, 10);
    CHECK_INT(blob_put(&s, "empty", &nothing, 1), ERR_OK);
    CHECK_INT(blob_put(&s, "none", NULL, 0), ERR_OK);
    CHECK_INT(blob_get(&s, "empty", 0, 0, NULL, &out), ERR_OK);
    CHECK_INT((int64_t)out.n, 0);
    CHECK_INT(blob_size(&s, "none", &bytes), ERR_OK);
    CHECK_INT(bytes, 0);
    CHECK_INT(blob_get(&s, "none", 0, 1, NULL, &out), ERR_RANGE);
    buf_release(&out);
    blob_close(&s);
}

struct listed {
    char keys[8][64];
    int64_t bytes;
    int n;
};

static void note(void *arg, const struct blob_entry *entry)
{
    struct listed *l = arg;

    if (l->n < 8)
        snprintf(l->keys[l->n], sizeof(l->keys[0]), "%s", entry->key);
    l->bytes += entry->bytes;
    l->n++;
    CHECK(entry->modified > 1700000000);
}

TEST(s3_list)
{
    static const char *const keys[] = {
        "packs/1/b", "packs/1/a", "packs/2/a", "packs1/x", "other/y"};
    struct blob_store s;
    struct str part = STR("four");
    struct listed l = {0};

    s3_store(&s, "", "");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        REQUIRE(blob_put(&s, keys[i], &part, 1) == ERR_OK);
    CHECK_INT(blob_list(&s, "packs", NULL, 100, note, &l), ERR_OK);
    CHECK_INT(l.n, 3);
    CHECK_INT(l.bytes, 12);
    CHECK_STR(str_of(l.keys[0]), STR("packs/1/a"));
    CHECK_STR(str_of(l.keys[2]), STR("packs/2/a"));
    l.n = 0;
    CHECK_INT(blob_list(&s, "packs", "packs/1/a", 1, note, &l), ERR_OK);
    CHECK_INT(l.n, 1);
    CHECK_STR(str_of(l.keys[0]), STR("packs/1/b"));
    l.n = 0;
    CHECK_INT(blob_list(&s, "packs", "packs/2/a", 100, note, &l), ERR_OK);
    CHECK_INT(blob_list(&s, "nothing", NULL, 100, note, &l), ERR_OK);
    CHECK_INT(l.n, 0);
    blob_close(&s);
}

/* ---- uploads in parts */

static enum err upload(
    struct blob_store *s, const char *p, size_t n, struct sha256 *hash, int64_t *bytes)
{
    struct blob_upload *u;
    enum err e = blob_upload_begin(s, &u);

    for (size_t at = 0; !e && at < n; at += 300000)
        if (blob_upload_write(u, p + at, n - at < 300000 ? n - at : 300000))
            break; /* commit says so, too */
    return e ? e : blob_upload_commit(u, 3, hash, bytes);
}

static void check_asset(struct blob_store *s, const char *p, size_t n)
{
    struct sha256 hash = sha256_of((struct str){p, n});
    char key[160];
    int64_t bytes = 0;
    struct buf out;

    blob_asset_key(3, hash, key, sizeof(key));
    buf_init(&out, BIG);
    CHECK_INT(blob_size(s, key, &bytes), ERR_OK);
    CHECK_INT(bytes, (int64_t)n);
    CHECK_INT(blob_get(s, key, 0, 0, &hash, &out), ERR_OK);
    buf_clear(&out);
    CHECK_INT(blob_get(s, key, (int64_t)n - 5, 5, NULL, &out), ERR_OK);
    CHECK_STR(buf_view(&out), ((struct str){p + n - 5, 5}));
    buf_release(&out);
}

TEST(s3_uploads_of_all_sizes)
{
    static const size_t sizes[] = {5, S3_PART - 1, S3_PART, S3_PART + 1, 2 * S3_PART, BIG};
    struct blob_store s;
    char *p = big_bytes();

    s3_store(&s, "", "");
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct sha256 hash;
        int64_t bytes = 0;
        CHECK_INT(upload(&s, p, sizes[i], &hash, &bytes), ERR_OK);
        CHECK_INT(bytes, (int64_t)sizes[i]);
        check_asset(&s, p, sizes[i]);
    }
    free(p);
    blob_close(&s);
}

/* The service's own keys: an ETag is no MD5, and parts must be named by what it said. */
TEST(s3_uploads_to_a_bucket_that_encrypts)
{
    static const size_t sizes[] = {5, S3_PART + 1, BIG};
    struct blob_store s;
    char *p = big_bytes();

    s3_store(&s, "kms", "");
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct sha256 hash;
        int64_t bytes = 0;
        CHECK_INT(upload(&s, p, sizes[i], &hash, &bytes), ERR_OK);
        check_asset(&s, p, sizes[i]);
    }
    free(p);
    blob_close(&s);
}

/* More than the service copies at once. */
TEST(s3_uploads_are_copied_in_ranges)
{
    static const struct {
        const char *prefix;
        enum err want;
    } rows[] = {
        {"", ERR_OK}, {"fault.500.2.part.", ERR_OK}, {"fault.503.9.complete.", ERR_UNAVAILABLE}};
    static const size_t sizes[] = {S3_PART + 1, 2 * (5 << 20), BIG};
    char *p = big_bytes();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct blob_store s;
        s3_store(&s, rows[i].prefix, "&copy_mb=5&tries=3");
        for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
            struct sha256 hash;
            int64_t bytes = 0;
            CHECK_INT(upload(&s, p, sizes[k], &hash, &bytes), rows[i].want);
            if (!rows[i].want)
                check_asset(&s, p, sizes[k]);
        }
        blob_close(&s);
    }
    free(p);
}

/* ---- faults */

TEST(s3_put_faults)
{
    static const struct {
        const char *fault;
        enum err want;
    } rows[] = {{"fault.500.2.put.", ERR_OK}, {"fault.503.2.put.", ERR_OK},
        {"fault.reset.2.put.", ERR_OK}, {"fault.timeout.1.put.", ERR_OK},
        {"fault.etag.2.put.", ERR_OK}, {"fault.flip.2.put.", ERR_OK},
        {"fault.500.9.put.", ERR_UNAVAILABLE}, {"fault.503.9.put.", ERR_UNAVAILABLE},
        {"fault.reset.9.put.", ERR_UNAVAILABLE}, {"fault.timeout.9.put.", ERR_UNAVAILABLE},
        {"fault.etag.9.put.", ERR_UNAVAILABLE}, {"fault.flip.9.put.", ERR_UNAVAILABLE},
        {"fault.error200.9.put.", ERR_UNAVAILABLE}, {"fault.403.9.put.", ERR_IO},
        {"fault.404.9.put.", ERR_IO}};
    struct str parts[] = {STR("first "), STR(""), STR("second")};
    struct sha256 hash = sha256_parts(parts, ARRAY_LEN(parts));

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct blob_store s;
        struct buf out;
        enum err e;
        s3_store(&s, rows[i].fault, "&tries=3&timeout_s=1");
        buf_init(&out, 100);
        e = blob_put(&s, "k", parts, ARRAY_LEN(parts));
        if (e != rows[i].want)
            t_fail(__FILE__, __LINE__, "%s: %s", rows[i].fault, err_slug(e));
        e = blob_get(&s, "k", 0, 0, &hash, &out);
        if (rows[i].want == ERR_OK ? e != ERR_OK : e && e != ERR_NOT_FOUND && e != ERR_CORRUPT)
            t_fail(__FILE__, __LINE__, "%s: then %s", rows[i].fault, err_slug(e));
        CHECK_INT((int64_t)out.n, e ? 0 : 12);
        buf_release(&out);
        blob_close(&s);
    }
}

TEST(s3_get_faults)
{
    static const struct {
        const char *fault;
        enum err want;
    } rows[] = {{"fault.500.2.get.", ERR_OK}, {"fault.503.2.get.", ERR_OK},
        {"fault.reset.2.get.", ERR_OK}, {"fault.truncated.2.get.", ERR_OK},
        {"fault.timeout.1.get.", ERR_OK}, {"fault.500.9.get.", ERR_UNAVAILABLE},
        {"fault.truncated.9.get.", ERR_UNAVAILABLE}, {"fault.reset.9.get.", ERR_UNAVAILABLE},
        {"fault.error200.1.get.", ERR_CORRUPT}, {"fault.404.1.get.", ERR_NOT_FOUND},
        {"fault.403.1.get.", ERR_IO}};
    struct str part = STR("what was stored");
    struct sha256 hash = sha256_of(part);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct blob_store s;
        struct buf out;
        enum err e;
        s3_store(&s, rows[i].fault, "&tries=3&timeout_s=1");
        buf_init(&out, 1000);
        buf_puts(&out, "before ");
        REQUIRE(blob_put(&s, "k", &part, 1) == ERR_OK);
        e = blob_get(&s, "k", 0, 0, &hash, &out);
        if (e != rows[i].want)
            t_fail(__FILE__, __LINE__, "%s: %s", rows[i].fault, err_slug(e));
        CHECK_STR(buf_view(&out), e ? STR("before ") : STR("before what was stored"));
        /* It is there all the while. */
        if (e)
            CHECK_INT(blob_get(&s, "k", 0, 4, NULL, &out),
                rows[i].want == ERR_UNAVAILABLE ? ERR_UNAVAILABLE : ERR_OK);
        buf_release(&out);
        blob_close(&s);
    }
}

TEST(s3_upload_faults)
{
    static const struct {
        const char *fault;
        enum err want;
    } rows[] = {{"fault.500.2.begin.", ERR_OK}, {"fault.reset.1.begin.", ERR_OK},
        {"fault.error200.1.begin.", ERR_OK}, {"fault.503.2.part.", ERR_OK},
        {"fault.reset.2.part.", ERR_OK}, {"fault.etag.2.part.", ERR_OK},
        {"fault.flip.1.part.", ERR_OK}, {"fault.timeout.1.part.", ERR_OK},
        {"fault.500.2.complete.", ERR_OK}, {"fault.error200.2.complete.", ERR_OK},
        {"fault.reset.1.complete.", ERR_OK}, {"fault.500.2.copy.", ERR_OK},
        {"fault.error200.2.copy.", ERR_OK}, {"fault.reset.2.copy.", ERR_OK},
        {"fault.500.9.begin.", ERR_UNAVAILABLE}, {"fault.500.9.part.", ERR_UNAVAILABLE},
        {"fault.flip.9.part.", ERR_UNAVAILABLE}, {"fault.404.9.part.", ERR_IO},
        {"fault.500.9.complete.", ERR_UNAVAILABLE}, {"fault.etag.9.complete.", ERR_IO},
        {"fault.error200.9.complete.", ERR_UNAVAILABLE}, {"fault.404.9.complete.", ERR_IO},
        {"fault.error200.9.copy.", ERR_UNAVAILABLE}, {"fault.etag.9.copy.", ERR_IO},
        {"fault.403.9.copy.", ERR_IO}, {"fault.500.9.delete.", ERR_OK}};
    char *p = big_bytes();
    size_t n = S3_PART + 1000;
    struct sha256 want = sha256_of((struct str){p, n});

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct blob_store s;
        struct sha256 hash;
        int64_t bytes = 0;
        enum err e;
        s3_store(&s, rows[i].fault, "&tries=3&timeout_s=1");
        e = upload(&s, p, n, &hash, &bytes);
        if (e != rows[i].want)
            t_fail(__FILE__, __LINE__, "%s: %s", rows[i].fault, err_slug(e));
        if (e == ERR_OK) {
            CHECK(sha256_eq(hash, want));
            check_asset(&s, p, n);
        }
        blob_close(&s);
    }
    free(p);
}

/* ---- addresses for others */

static int fetch(const char *method, struct buf *url, struct str body, struct http_answer *out)
{
    char *slash = strchr(url->p + strlen("http://"), '/');
    const char *path;
    struct http_client *c;
    enum err e;

    *slash = '\0';
    c = http_client_new(url->p, NULL);
    *slash = '/';
    path = slash;
    e = http_client_call(c, method, path, NULL, body, NULL, out);
    http_client_free(c);
    return e ? -1 : out->status;
}

TEST(s3_presigned)
{
    struct blob_store s;
    struct http_answer answer;
    struct buf url;
    struct str body = STR("from outside");
    struct sha256 hash = sha256_of(body);

    s3_store(&s, "", "");
    http_answer_init(&answer);
    buf_init(&url, 4096);
    REQUIRE(blob_presign(&s, "PUT", "outside/a", 60, &url) == ERR_OK);
    CHECK_INT(fetch("PUT", &url, body, &answer), 200);
    CHECK_INT(fetch("GET", &url, (struct str){NULL, 0}, &answer), 403); /* not for that */
    buf_clear(&url);
    REQUIRE(blob_presign(&s, "GET", "outside/a", 60, &url) == ERR_OK);
    CHECK_INT(fetch("GET", &url, (struct str){NULL, 0}, &answer), 200);
    CHECK_STR(buf_view(&answer.body), body);
    CHECK(sha256_eq(sha256_of(buf_view(&answer.body)), hash));
    url.p[url.n - 1] = url.p[url.n - 1] == '0' ? '1' : '0';
    CHECK_INT(fetch("GET", &url, (struct str){NULL, 0}, &answer), 403);
    buf_clear(&url);
    CHECK_INT(blob_presign(&s, "GET", "outside/a", 0, &url), ERR_INVALID);
    CHECK_INT(blob_presign(&s, "GET", "outside/a", 604801, &url), ERR_INVALID);
    CHECK_INT(blob_presign(&s, "GET", "../a", 60, &url), ERR_INVALID);
    buf_release(&url);
    http_answer_release(&answer);
    blob_close(&s);
}

TEST(s3_xml)
{
    static const struct str xml = {"<R><ETag>&quot;ab&amp;lt;&quot;</ETag><Code/><Id>", 49};
    char out[32], tiny[4];

    CHECK_INT(s3_xml_text(xml, "ETag", out, sizeof(out)), ERR_OK);
    CHECK_STR(str_of(out), STR("\"ab&lt;\""));
    CHECK_INT(s3_xml_text(xml, "ETag", tiny, sizeof(tiny)), ERR_FULL);
    CHECK_INT(s3_xml_text(xml, "Code", out, sizeof(out)), ERR_NOT_FOUND);
    CHECK_INT(s3_xml_text(xml, "Id", out, sizeof(out)), ERR_FULL); /* cut off */
    CHECK_INT(s3_xml_text(STR(""), "Id", out, sizeof(out)), ERR_NOT_FOUND);
}
