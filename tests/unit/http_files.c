/* The front end's files, and the API's description of itself. */
#include <json-c/json.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotate-server/http/openapi.h"
#include "base/log.h"
#include "http_fixture.h"

#define HOST "Host: a\r\n"

static char root[] = "/tmp/http-files-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    FILE *f = fopen(path, "w");
    BUG_ON(!f);
    fputs(text, f);
    fclose(f);
}

static void make_dir(const char *name)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    BUG_ON(mkdir(path, 0700) != 0);
}

/* Nearly the names of the build, but these may change. */
static const char *const unhashed[] = {"assets/main-dev.js", "assets/app-uerrpahp.js",
    "assets/app-UERRPAH1.js", "assets/app-UERRPAHPA.js", "assets/appUERRPAHP.js",
    "assets/UERRPAHP.js", "assets/app-UERRPAHP", "assets/app-UERRPAH.js"};

static void make_site(void)
{
    char link[512], script[4000];

    BUG_ON(!mkdtemp(root));
    memset(script, 'j', sizeof(script));
    script[sizeof(script) - 1] = '\0';
    make_dir("assets");
    make_dir(".git");
    write_file("index.html", "<!doctype html><p>home");
    write_file("style.css", "p{}");
    write_file("assets/app-UERRPAHP.js", script);
    write_file("assets/app-settings.js", "x");
    write_file("assets/inter-latin-wght-normal-NRMW37G5.woff2", "x");
    for (size_t i = 0; i < ARRAY_LEN(unhashed); i++)
        write_file(unhashed[i], "x");
    write_file(".hidden", "secret");
    write_file(".git/config", "secret");
    snprintf(link, sizeof(link), "%s/link.html", root);
    BUG_ON(symlink("/etc/passwd", link) != 0);
}

static void remove_site(void)
{
    char command[600];

    snprintf(command, sizeof(command), "rm -r %s", root);
    CHECK_INT(system(command), 0);
}

TEST(http_files_map)
{
    struct static_files *f;

    log_init("test", "error");
    make_site();
    REQUIRE(static_load(root, &f) == ERR_OK);
    const struct static_file *home = static_find(f, STR("/index.html"), false);
    REQUIRE(home);
    CHECK(static_find(f, STR("/"), false) == home);
    CHECK(strcmp(home->type, "text/html; charset=utf-8") == 0);
    CHECK(!home->immutable);
    const struct static_file *app = static_find(f, STR("/assets/app-UERRPAHP.js"), false);
    REQUIRE(app);
    CHECK(app->immutable);
    CHECK(app->gzip.p && app->gzip.n < app->body.n);
    const struct static_file *plain = static_find(f, STR("/assets/app-settings.js"), false);
    REQUIRE(plain);
    CHECK(!plain->immutable);
    CHECK(!plain->gzip.p);
    const struct static_file *font =
        static_find(f, STR("/assets/inter-latin-wght-normal-NRMW37G5.woff2"), false);
    CHECK(font && font->immutable);
    for (size_t i = 0; i < ARRAY_LEN(unhashed); i++) {
        char path[80];
        snprintf(path, sizeof(path), "/%s", unhashed[i]);
        const struct static_file *one = static_find(f, str_of(path), false);
        if (!one || one->immutable)
            t_fail(__FILE__, __LINE__, "%s may be cached for ever", path);
    }
    static const char *const absent[] = {"/.hidden", "/.git/config", "/link.html", "/assets",
        "/assets/", "", "/index.htm", "/index.html/", "//index.html", "/../index.html",
        "/assets/../index.html"};
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        if (static_find(f, str_of(absent[i]), false))
            t_fail(__FILE__, __LINE__, "«%s» is there", absent[i]);
    CHECK(static_find(f, STR("/projects/3/work"), true) == home);
    CHECK(!static_find(f, STR("/projects/3/work"), false));
    CHECK(!static_find(f, STR("/v1/nothing"), true));
    CHECK(!static_find(f, STR("/v1"), true));
    CHECK(!static_find(f, STR("/missing.js"), true));
    static_free(f);
    CHECK_INT(static_load("/nonexistent", &f), ERR_IO);
    remove_site();
}

static void header_value(const char *answer, const char *name, char *out, size_t size)
{
    const char *at = strstr(answer, name);

    snprintf(out, size, "%.*s", at ? (int)strcspn(at + strlen(name), "\r") : 0,
        at ? at + strlen(name) : "");
}

TEST(http_files_served)
{
    struct http_options o = {0};
    struct static_files *f;
    char etag[64], request[300];

    make_site();
    REQUIRE(static_load(root, &f) == ERR_OK);
    o.files = f;
    fx_start(&o);
    const char *a = fx_talk("GET / HTTP/1.1\r\n" HOST "\r\n");
    CHECK_INT(fx_status(a), 200);
    CHECK(strstr(a, "\r\n\r\n<!doctype html><p>home"));
    CHECK(strstr(a, "\r\ncache-control: no-cache\r\n"));
    CHECK(strstr(a, "content-security-policy: default-src 'none'; script-src 'self'; "));
    CHECK(strstr(a, "; require-trusted-types-for 'script'; trusted-types label-config\r\n"));
    CHECK(!strstr(a, "unsafe"));
    CHECK(strstr(a, "\r\ncross-origin-opener-policy: same-origin\r\n"));
    CHECK(strstr(a, "\r\npermissions-policy: "));
    header_value(a, "\r\netag: ", etag, sizeof(etag));
    CHECK_INT(strlen(etag), 34);
    static const char *const forms[] = {"%s", "\"x\", %s", "W/%s", "*"};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        char value[128] = "*";
        if (i < 3)
            snprintf(value, sizeof(value), "%s%s", i == 1 ? "\"x\", " : i == 2 ? "W/" : "", etag);
        snprintf(
            request, sizeof(request), "GET / HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n", value);
        a = fx_talk(request);
        CHECK_INT(fx_status(a), 304);
        CHECK(strcmp(strstr(a, "\r\n\r\n"), "\r\n\r\n") == 0);
    }
    CHECK_INT(fx_status(fx_talk("GET / HTTP/1.1\r\n" HOST "If-None-Match: \"x\"\r\n\r\n")), 200);
    a = fx_talk("GET /assets/app-UERRPAHP.js HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n");
    CHECK(strstr(a, "\r\ncontent-encoding: gzip\r\n"));
    CHECK(strstr(a, "\r\nvary: accept-encoding\r\n"));
    CHECK(strstr(a, "\r\ncache-control: public, max-age=31536000, immutable\r\n"));
    CHECK(!strstr(a, "no-cache"));
    a = fx_talk("HEAD /style.css HTTP/1.1\r\n" HOST "\r\n");
    CHECK(strstr(a, "\r\ncontent-length: 3\r\n"));
    CHECK(strcmp(strstr(a, "\r\n\r\n"), "\r\n\r\n") == 0);
    CHECK_INT(fx_status(fx_talk("GET /a/page HTTP/1.1\r\n" HOST "Accept: text/html\r\n\r\n")), 200);
    CHECK_INT(fx_status(fx_talk("GET /a/page HTTP/1.1\r\n" HOST "Accept: */*\r\n\r\n")), 404);
    CHECK_INT(fx_status(fx_talk("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n")), 404);
    CHECK_INT(fx_status(fx_talk("GET /%2e%2e/etc/passwd HTTP/1.1\r\n" HOST "\r\n")), 400);
    CHECK_INT(fx_status(fx_talk("GET /link.html HTTP/1.1\r\n" HOST "\r\n")), 404);
    a = fx_talk("GET /v1/absent HTTP/1.1\r\n" HOST "Accept: text/html\r\n\r\n");
    CHECK_INT(fx_status(a), 404);
    CHECK(strstr(a, "\r\ncache-control: no-store\r\n"));
    fx_stop();
    static_free(f);
    remove_site();
}

/* --- openapi --- */

static struct json_object *get(struct json_object *o, const char *a, const char *b, const char *c)
{
    const char *const keys[] = {a, b, c};

    for (size_t i = 0; i < ARRAY_LEN(keys) && keys[i]; i++)
        if (!json_object_object_get_ex(o, keys[i], &o))
            return NULL;
    return o;
}

TEST(http_openapi)
{
    struct buf b;

    buf_init(&b, 4 << 20);
    openapi_print(fx_routes, fx_route_count, &b);
    REQUIRE(buf_err(&b) == ERR_OK);
    struct json_tokener *t = json_tokener_new();
    json_tokener_set_flags(t, JSON_TOKENER_STRICT);
    struct json_object *doc = json_tokener_parse_ex(t, b.p, (int)b.n);
    REQUIRE(doc);
    size_t operations = 0;
    json_object_object_foreach(get(doc, "paths", NULL, NULL), path, methods)
    {
        CHECK(path[0] == '/');
        operations += (size_t)json_object_object_length(methods);
    }
    CHECK_INT(operations, fx_route_count);
    struct json_object *op = get(doc, "paths", "/v1/things/{thing_id}/{name}", "delete");
    REQUIRE(op);
    CHECK(get(op, "responses", "428", NULL));
    CHECK(get(op, "responses", "404", NULL));
    struct json_object *params = get(op, "parameters", NULL, NULL);
    REQUIRE(json_object_array_length(params) == 3);
    struct json_object *first = json_object_array_get_idx(params, 0);
    CHECK_STR(str_of(json_object_get_string(get(first, "name", NULL, NULL))), STR("thing_id"));
    CHECK_STR(str_of(json_object_get_string(get(first, "schema", "type", NULL))), STR("integer"));
    CHECK(get(doc, "paths", "/v1/echo", "post"));
    CHECK(get(get(doc, "paths", "/v1/echo", "post"), "requestBody", NULL, NULL));
    CHECK(get(doc, "components", "schemas", "problem"));
    json_object_put(doc);
    json_tokener_free(t);
    buf_release(&b);
}
