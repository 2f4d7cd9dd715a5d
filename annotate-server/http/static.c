/* Owns the front end's files in memory. Never opens a file after start. */
#include "annotate-server/http/static.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotate-server/http/gzip.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"

enum {
    MAX_FILES = 4096,
    MAX_DEPTH = 8,
    MAX_PATH = 1024,
    GZIP_LEVEL = 9,
    ETAG_HEX = 32,
    HASH_CHARS = 8
};
#define MAX_BYTES ((size_t)256 << 20)

struct static_files {
    struct arena *arena;
    size_t n, bytes;
    struct static_file *file; /* sorted by path */
};

static const char *type_of(struct str path)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".wasm", "application/wasm"},
        {".txt", "text/plain; charset=utf-8"},
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        size_t n = strlen(types[i].end);
        if (path.n > n && memcmp(path.p + path.n - n, types[i].end, n) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* "main-UERRPAHP.js": the build's names end in '-' and a hash, eight characters of base32 (RFC
 * 4648: capital letters, 2 to 7), before the last dot. */
static bool has_hash(struct str path)
{
    size_t dot = path.n;

    while (dot > 0 && path.p[dot - 1] != '.' && path.p[dot - 1] != '/')
        dot--;
    if (dot < HASH_CHARS + 2 || path.p[dot - 1] == '/' || path.p[dot - 2 - HASH_CHARS] != '-')
        return false;
    for (size_t i = dot - 1 - HASH_CHARS; i < dot - 1; i++)
        if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", path.p[i], 32))
            return false;
    return true;
}

static void finish_file(struct static_files *f, struct static_file *s, struct gzip *z)
{
    char hex[SHA256_HEX + 1];

    sha256_hex(sha256_of(s->body), hex);
    snprintf(s->etag, sizeof(s->etag), "\"%.*s\"", ETAG_HEX, hex);
    s->type = type_of(s->path);
    s->immutable = has_hash(s->path);
    if (gzip_type(str_of(s->type)) && s->body.n)
        s->gzip = gzip_body(z, f->arena, s->body);
}

static enum err read_file(struct static_files *f, int dir, const char *name, struct str *out)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    enum err e = ERR_IO;
    struct stat st;
    size_t at = 0;

    if (fd < 0)
        return ERR_IO;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        goto end;
    e = ERR_FULL;
    if (f->n == MAX_FILES || (size_t)st.st_size > MAX_BYTES - f->bytes)
        goto end;
    e = ERR_IO;
    char *p = arena_alloc(f->arena, (size_t)st.st_size + 1);
    while (at < (size_t)st.st_size) {
        ssize_t n = read(fd, p + at, (size_t)st.st_size - at);
        if (n <= 0)
            goto end;
        at += (size_t)n;
    }
    f->bytes += at;
    *out = (struct str){p, at};
    e = ERR_OK;
end:
    close(fd);
    return e;
}

static enum err load_dir(
    struct static_files *f, int fd, const char *prefix, struct gzip *z, int depth);

static enum err load_entry(struct static_files *f, int dir, const char *prefix, const char *name,
    struct gzip *z, int depth)
{
    char path[MAX_PATH];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/%s", prefix, name);

    if (n < 0 || (size_t)n >= sizeof(path) || depth > MAX_DEPTH)
        return ERR_FULL;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return ERR_IO;
    if (S_ISDIR(st.st_mode)) {
        int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? ERR_IO : load_dir(f, fd, path, z, depth + 1);
    }
    if (!S_ISREG(st.st_mode))
        return ERR_OK;
    struct str body;
    enum err e = read_file(f, dir, name, &body);
    if (e)
        return e;
    struct static_file *s = &f->file[f->n++];
    s->path = arena_str(f->arena, (struct str){path, (size_t)n});
    s->body = body;
    finish_file(f, s, z);
    return ERR_OK;
}

/* Takes fd. */
static enum err load_dir(
    struct static_files *f, int fd, const char *prefix, struct gzip *z, int depth)
{
    enum err e = ERR_OK;
    DIR *d = fdopendir(fd);
    struct dirent *entry;

    if (!d) {
        close(fd);
        return ERR_IO;
    }
    while (!e && (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            e = load_entry(f, fd, prefix, entry->d_name, z, depth);
    closedir(d);
    return e;
}

static int compare(struct str a, struct str b)
{
    int r = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return r ? r : (a.n > b.n) - (a.n < b.n);
}

static int by_path(const void *a, const void *b)
{
    const struct static_file *x = a, *y = b;

    return compare(x->path, y->path);
}

enum err static_load(const char *dir, struct static_files **out)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    *out = NULL;
    if (fd < 0) {
        log_error("static", "%s: errno %d", dir, errno);
        return ERR_IO;
    }
    struct arena *a = arena_new();
    struct static_files *f = arena_alloc(a, sizeof(*f));
    f->arena = a;
    f->file = arena_array(a, MAX_FILES, sizeof(f->file[0]));
    struct gzip *z = gzip_new(GZIP_LEVEL);
    enum err e = load_dir(f, fd, "", z, 0);
    gzip_free(z);
    if (e) {
        log_error("static", "%s: %s after %zu files", dir, err_title(e), f->n);
        arena_free(a);
        return e;
    }
    qsort(f->file, f->n, sizeof(f->file[0]), by_path);
    *out = f;
    return ERR_OK;
}

void static_free(struct static_files *f)
{
    if (f)
        arena_free(f->arena);
}

static const struct static_file *find(const struct static_files *f, struct str path)
{
    struct static_file key = {.path = path};

    return bsearch(&key, f->file, f->n, sizeof(f->file[0]), by_path);
}

const struct static_file *static_find(const struct static_files *f, struct str path, bool page)
{
    const struct static_file *s = find(f, str_is(path, "/") ? STR("/index.html") : path);

    if (s || !page)
        return s;
    bool api = str_is(path, "/v1") || str_starts(path, STR("/v1/"));
    if (api || memchr(path.p, '.', path.n))
        return NULL;
    return find(f, STR("/index.html"));
}
