/* Owns `annotate sync`: each new object of a customer's bucket becomes an asset and a task. The
 * task's external id is the object's address, its meta the ETag; so the project itself knows what
 * has come, and a run that is stopped anywhere and begun again adds nothing twice and misses
 * nothing. Memory: about 50 bytes an object, one page of names, a few MiB a connection. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/unnamed.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/media_kind.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/sync_known.h"
#include "cli/tasks_send.h"
#include "cli/upload.h"
#include "core/label_config.h"
#include "storage/s3_bucket.h"

enum {
    TOLD = 20,
    ID_MAX = S3_KEY_MAX + S3_NAME_MAX + 300, /* of an external id, before it is found too long */
    SHOWN_MAX = 4 * S3_KEY_MAX + 1,
};
#define BATCH_BYTES (256LL << 20) /* of media whose tasks are not made yet, about */

struct sync {
    int64_t project, parallel;
    const char *from, *match, *field, *changed;
    bool dry_run, allow_private;

    struct api api;
    char path[64]; /* of the API: where tasks go */
    struct label_config *config;
    struct str shown_by;     /* the key of the address in data */
    bool kinds[MEDIA_KINDS]; /* which are taken */
    struct s3_bucket *bucket;
    struct sync_known known;

    struct upload *upload; /* the batch; an item's `file` is its place in the page */
    int64_t batch_bytes;
    struct s3_object page[S3_BUCKET_PAGE];
    size_t npage;

    struct progress progress;
    int64_t objects, fresh, same, other, failed, left_out, bytes;
    struct tasks_sent sent;
};

/* ---- an object */

/* A key as it may be shown on a terminal. */
static const char *shown(const char *key, char out[SHOWN_MAX])
{
    char *to = out;

    for (const char *p = key; *p && to < out + SHOWN_MAX - 5; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
            to += snprintf(to, 5, "\\x%02x", (unsigned char)*p);
        else
            *to++ = *p;
    *to = '\0';
    return out;
}

static void external_id(
    const struct sync *s, const struct s3_object *o, bool with_etag, char out[ID_MAX])
{
    snprintf(out, ID_MAX, "s3://%s/%s%s%s", s3_bucket_name(s->bucket), o->key,
        with_etag ? "?etag=" : "", with_etag ? o->etag : "");
}

static bool is_wanted(const struct sync *s, const struct s3_object *o)
{
    const char *below = o->key + strlen(s3_bucket_prefix(s->bucket));

    return o->bytes > 0 && s->kinds[media_kind_of(o->key)] &&
           (!s->match || fnmatch(s->match, below, 0) == 0);
}

static void tell_changed(struct sync *s, const struct s3_object *o)
{
    char key[SHOWN_MAX];

    s->other++;
    if (s->other <= TOLD)
        fprintf(stderr, "%s has changed%s\n", shown(o->key, key),
            strcmp(s->changed, "new") == 0 ? "" : "; its task is left as it is");
    else if (s->other == TOLD + 1)
        fputs("and more have changed\n", stderr);
}

/* Whether a task is to be made of it, and with which id. */
static bool is_due(struct sync *s, const struct s3_object *o, char id[ID_MAX])
{
    external_id(s, o, false, id);
    switch (sync_known_look(&s->known, str_of(id), o->etag)) {
    case SYNC_NEW:
        return true;
    case SYNC_SAME:
        s->same++;
        return false;
    case SYNC_CHANGED:
        break;
    }
    external_id(s, o, true, id);
    if (sync_known_look(&s->known, str_of(id), o->etag) != SYNC_NEW) {
        s->same++; /* as it is now, it has a task */
        return false;
    }
    tell_changed(s, o);
    return strcmp(s->changed, "new") == 0;
}

/* ---- a batch */

/* The upload's threads: the object, whole, in a file of its own. */
static int fetch(void *arg, const struct upload_item *item, int64_t *bytes)
{
    struct sync *s = arg;
    const struct s3_object *o = &s->page[item->file];
    char why[S3_BUCKET_WHY] = "";
    int fd = unnamed_file();

    *bytes = o->bytes;
    if (fd < 0)
        snprintf(why, sizeof(why), "no file can be made for it: %s", strerror(errno));
    else if (s3_bucket_fetch(s->bucket, o, fd, 0, why)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        fail("%s: %s.", item->path, why);
    return fd;
}

static void print_tasks(const struct sync *s, struct buf *out)
{
    for (size_t i = 0; i < s->upload->n; i++) {
        const struct upload_item *item = &s->upload->items[i];
        const struct s3_object *o = &s->page[item->file];
        if (!item->ok)
            continue;
        buf_puts(out, "{\"data\":{");
        buf_json(out, s->shown_by);
        buf_putc(out, ':');
        buf_json(out, str_of(item->url));
        buf_puts(out, "},\"external_id\":");
        buf_json(out, str_of(item->name));
        buf_puts(out, ",\"meta\":{\"s3\":{\"etag\":");
        buf_json(out, str_of(o->etag));
        buf_printf(out, ",\"bytes\":%" PRId64 "}}}\n", o->bytes);
    }
}

static bool flush(struct sync *s)
{
    struct upload *u = s->upload;
    struct buf lines;
    bool ok = upload_run(u, (int)s->parallel);

    buf_init(&lines, BUF_MAX_JSON);
    print_tasks(s, &lines);
    s->failed += upload_failures(u);
    for (size_t i = 0; i < u->n; i++)
        s->bytes += u->items[i].ok ? s->page[u->items[i].file].bytes : 0;
    if (ok && buf_err(&lines))
        ok = !fail("the names of one batch are too long.");
    if (ok && lines.n > 0)
        ok = tasks_send(&s->api, s->path, buf_view(&lines), &s->sent);
    buf_release(&lines);
    upload_clear(u);
    s->batch_bytes = 0;
    progress_show(&s->progress, s->objects, -1);
    return ok;
}

static bool add(struct sync *s, size_t i, const char *id)
{
    const struct s3_object *o = &s->page[i];
    char key[SHOWN_MAX];

    s->fresh++;
    shown(o->key, key);
    if (s->dry_run) {
        fprintf(stderr, "%s is new\n", key);
        return true;
    }
    upload_add(s->upload, key, id);
    struct upload_item *item = &s->upload->items[s->upload->n - 1];
    item->file = i;
    item->any = media_kind_of(o->key) != MEDIA_IMAGE;
    s->batch_bytes += o->bytes;
    return (s->upload->n < UPLOAD_BATCH && s->batch_bytes < BATCH_BYTES) || flush(s);
}

static bool sync_page(struct sync *s)
{
    char id[ID_MAX];

    for (size_t i = 0; i < s->npage; i++) {
        s->objects++;
        if (!is_wanted(s, &s->page[i]))
            s->left_out++;
        else if (is_due(s, &s->page[i], id) && !add(s, i, id))
            return false;
    }
    return s->upload->n == 0 || flush(s);
}

static bool sync_all(struct sync *s)
{
    char last[S3_KEY_MAX + 1] = "", why[S3_BUCKET_WHY];
    bool ok = true;

    progress_begin(&s->progress, "objects", -1);
    do {
        struct arena *a = arena_new();
        enum err e = s3_bucket_page(s->bucket, a, *last ? last : NULL, s->page, &s->npage, why);
        if (e)
            ok = !fail("%s.", why);
        else if (s->npage)
            snprintf(last, sizeof(last), "%s", s->page[s->npage - 1].key);
        ok = ok && sync_page(s);
        arena_free(a);
        progress_show(&s->progress, s->objects, -1);
    } while (ok && s->npage == S3_BUCKET_PAGE);
    if (ok)
        progress_end(&s->progress, s->objects);
    return ok;
}

/* ---- the whole */

/* A task made of one object has one field: more than one cannot be shown, the server says. */
static bool find_field(struct sync *s)
{
    struct str only = s->field ? str_of(s->field) : STR("");

    for (const struct label_object *o = s->config->objects; o; o = o->next) {
        if (!o->field.n)
            continue;
        if (only.n && !str_eq(only, o->field))
            return !fail("the project's label config shows \"%.*s\" of the data, a task would have "
                         "\"%.*s\" alone.",
                STR_FMT(o->field), STR_FMT(only));
        only = o->field;
    }
    s->shown_by = only;
    return only.n > 0 ||
           !fail("the project's label config shows no file; name a key of data with --field.");
}

/* A <Text> shows what an address leads to only where it says so. */
static bool shows(const struct label_object *o, enum media_kind kind)
{
    return str_is(o->type, media_kind_tag(kind)) && o->field.n && !o->list && !o->name.indexed &&
           (kind != MEDIA_TEXT || str_is(o->value_type, "url"));
}

static bool find_kinds(struct sync *s)
{
    bool any = false;

    for (int kind = MEDIA_IMAGE; kind < MEDIA_KINDS; kind++) {
        const struct label_object *o = s->config->objects;
        while (o && !shows(o, (enum media_kind)kind))
            o = o->next;
        s->kinds[kind] = s->field || o;
        any |= s->kinds[kind];
    }
    return any ||
           !fail("the project's label config shows neither pictures, sounds, films, PDFs nor "
                 "texts by address; --field takes them all the same.");
}

static bool open_project(struct sync *s)
{
    char why[LABEL_CONFIG_WHY];
    struct json_object *o;
    bool good;

    snprintf(s->path, sizeof(s->path), "/v1/projects/%" PRId64, s->project);
    o = api_call(&s->api, "GET", s->path, NULL);
    if (!o)
        return false;
    snprintf(s->path, sizeof(s->path), "/v1/projects/%" PRId64 "/tasks", s->project);
    good = label_config_parse(str_of(api_text(o, "label_config")), &s->config, why) == ERR_OK;
    json_object_put(o);
    if (!good)
        return !fail("the project's label config cannot be read: %s.", why);
    return find_field(s) && find_kinds(s);
}

static bool run(struct sync *s)
{
    char why[S3_BUCKET_WHY], begin[ID_MAX];

    if (s3_bucket_open(s->from, !s->allow_private, &s->bucket, why))
        return !fail("--from: %s.", why);
    if (!api_open(&s->api) || !open_project(s))
        return false;
    snprintf(
        begin, sizeof(begin), "s3://%s/%s", s3_bucket_name(s->bucket), s3_bucket_prefix(s->bucket));
    return sync_known_load(&s->known, &s->api, s->project, begin) && sync_all(s);
}

static int sync_project(struct sync *s)
{
    s->upload = upload_new();
    s->upload->fetch = fetch;
    s->upload->fetch_arg = s;
    bool good = run(s);
    printf("{\"objects\":%" PRId64 ",\"new\":%" PRId64 ",\"created\":%" PRId64 ",\"known\":%" PRId64
           ",\"changed\":%" PRId64 ",\"failed\":%" PRId64 ",\"left_out\":%" PRId64
           ",\"bytes\":%" PRId64 "}\n",
        s->objects, s->fresh, s->sent.created, s->same + s->sent.skipped, s->other, s->failed,
        s->left_out, s->bytes);
    if (good && s->failed)
        good = !fail("%" PRId64 " objects have no task yet; they are named above.", s->failed);
    upload_free(s->upload);
    sync_known_release(&s->known);
    s3_bucket_close(s->bucket);
    label_config_free(s->config);
    api_close(&s->api);
    return !good;
}

int cmd_sync(int argc, char **argv)
{
    static struct sync s = {.parallel = 8, .changed = "report"};
    const struct opt opts[] = {{"project", .number = &s.project, .required = true},
        {"from", .text = &s.from, .required = true}, {"match", .text = &s.match},
        {"field", .text = &s.field}, {"changed", .text = &s.changed},
        {"parallel", .number = &s.parallel}, {"allow-private", .flag = &s.allow_private},
        {"dry-run", .flag = &s.dry_run}};

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (s.parallel < 1 || s.parallel > UPLOAD_THREADS)
        return misuse("sync", "--parallel must be from 1 to %d.", UPLOAD_THREADS);
    if (strcmp(s.changed, "report") != 0 && strcmp(s.changed, "new") != 0)
        return misuse("sync", "--changed is report or new.");
    return sync_project(&s);
}
