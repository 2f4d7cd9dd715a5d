/* Owns the window over a large JSON file. Builds no tree. */
#include "formats/json_file.h"

#include <json-c/json.h>
#include <stdio.h>

#include "base/json_scan.h"

enum { PIECE = 64 << 10 };

void json_file_open(struct json_file *f, struct reader *r, size_t file)
{
    *f = (struct json_file){.r = r, .file = file};
    buf_init(&f->in, JSON_FILE_VALUE + 2 * PIECE);
}

void json_file_close(struct json_file *f)
{
    buf_release(&f->in);
}

static struct str name_of(const struct json_file *f)
{
    return file_set_at(f->r->source, f->file)->name;
}

static enum err bad(struct json_file *f, size_t at, const char *why)
{
    char where[READER_WHERE];

    f->r->over = true;
    snprintf(where, sizeof(where), "byte %lld", (long long)f->base + (long long)at);
    return reader_bad(f->r, name_of(f), where, "%s", why);
}

/* What has been taken goes first. */
static enum err more(struct json_file *f)
{
    char piece[PIECE];
    ssize_t n;

    if (f->at > 0) {
        memmove(f->in.p, f->in.p + f->at, f->in.n - f->at);
        f->in.n -= f->at;
        f->base += (int64_t)f->at;
        f->at = 0;
    }
    n = file_set_read(f->r->source, f->file, f->base + (int64_t)f->in.n, piece, sizeof(piece));
    if (n < 0)
        return reader_failed(f->r, name_of(f), ERR_IO);
    f->ended = n == 0;
    buf_add(&f->in, piece, (size_t)n);
    return buf_err(&f->in) ? bad(f, 0, "one value is larger than 32 MiB") : ERR_OK;
}

enum err json_file_peek(struct json_file *f, char *c)
{
    enum err e = ERR_OK;

    for (;;) {
        while (f->at < f->in.n && strchr(" \t\r\n", f->in.p[f->at]) && f->in.p[f->at])
            f->at++;
        if (f->at < f->in.n || f->ended)
            break;
        if ((e = more(f)))
            return e;
    }
    *c = f->at < f->in.n ? f->in.p[f->at] : '\0';
    return ERR_OK;
}

enum err json_file_take(struct json_file *f, const char *any, char *c)
{
    char why[64];
    enum err e = json_file_peek(f, c);

    if (e)
        return e;
    if (*c && strchr(any, *c)) {
        f->at++;
        return ERR_OK;
    }
    snprintf(why, sizeof(why), "%s where \"%s\" should be", *c ? "something else" : "the end", any);
    return bad(f, f->at, why);
}

enum err json_file_value(struct json_file *f, struct str *text, int64_t *off)
{
    struct json_error error = {.why = ""};
    size_t length = 0, wanted = 0;
    char c;
    enum err e = json_file_peek(f, &c);

    while (!e) {
        struct str rest = {f->in.p + f->at, f->in.n - f->at};
        enum json_cut cut = JSON_MORE;
        if (rest.n >= wanted || f->ended) {
            cut = json_scan_value(rest, f->ended, JSON_FILE_DEPTH, &length, &error);
            wanted = 2 * rest.n; /* a long value is not scanned at every piece */
        }
        if (cut == JSON_BAD)
            return bad(f, f->at + error.at, error.why);
        if (cut == JSON_COMPLETE) {
            *text = (struct str){rest.p, length};
            *off = f->base + (int64_t)f->at;
            f->at += length;
            return ERR_OK;
        }
        if (f->ended)
            return bad(f, f->at, "the file ends inside a value");
        if (rest.n > JSON_FILE_VALUE)
            return bad(f, f->at, "one value is larger than 32 MiB");
        e = more(f);
    }
    return e;
}

enum err json_file_end(struct json_file *f)
{
    char c;
    enum err e = json_file_peek(f, &c);

    return e || f->at == f->in.n ? e : bad(f, f->at, "bytes behind the end");
}

struct str json_file_string(struct arena *a, struct str text)
{
    struct json_object *o;
    struct str s;
    char *quoted;

    if (!memchr(text.p, '\\', text.n))
        return arena_str(a, text);
    quoted = arena_printf(a, "\"%.*s\"", STR_FMT(text));
    o = json_tokener_parse(quoted);
    s = arena_str(
        a, (struct str){json_object_get_string(o), (size_t)json_object_get_string_len(o)});
    json_object_put(o);
    return s;
}
