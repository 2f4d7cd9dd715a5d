/* Owns the import of a data set: everything is checked first, then its media are uploaded, then all
 * tasks are sent as one import, which the server takes whole or not at all. What came is known by
 * its path, so a repeat adds nothing twice. Memory: about 150 bytes a file, and one task. */
#include "cli/import_set.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bucket_set.h"
#include "cli/digest_map.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/upload.h"
#include "formats/result.h"
#include "formats/spool.h"

enum { TOLD = 20, HASH_HEX = 64, HEAD = 64 };

struct set {
    const struct set_options *o;
    struct api *api;
    char path[64]; /* of the API: where tasks go */
    struct label_config *config;
    struct file_set *source;
    const struct format_reader *format;
    struct result_options making;
    bool skip;

    /* of each file of the source: is it wanted, what is its hash */
    unsigned char *wanted;
    char (*hashes)[HASH_HEX]; /* "": not stored */
    char head[HEAD];          /* what an address has before the hash */
    char url[HEAD + HASH_HEX + 1];

    struct spool lines;
    int64_t tasks, bad, sent;
    struct reader_note notes[READER_NOTES];
    size_t nnotes;
    int64_t created, skipped, labels;
};

int import_set_check(const struct set_options *o)
{
    char names[300] = "";

    for (size_t i = 0; reader_at(i); i++)
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? ", " : "",
            reader_at(i)->name);
    if (!reader_find(str_of(o->format)))
        return misuse("import", "there is no format \"%s\"; there are %s.", o->format, names);
    if (strcmp(o->as, "annotations") != 0 && strcmp(o->as, "predictions") != 0)
        return misuse("import", "--as is annotations or predictions.");
    if (strcmp(o->errors, "refuse") != 0 && strcmp(o->errors, "skip") != 0)
        return misuse("import", "--errors is refuse or skip.");
    return 0;
}

/* ---- addresses of the media */

/* While checking: it is only noted, any address will do. */
static struct str want(void *arg, size_t file)
{
    struct set *s = arg;

    s->wanted[file] = 1;
    return STR("/v1/assets/0");
}

static struct str stored(void *arg, size_t file)
{
    struct set *s = arg;

    if (!s->hashes[file][0])
        return STR("");
    snprintf(s->url, sizeof(s->url), "%s%.*s", s->head, HASH_HEX, s->hashes[file]);
    return str_of(s->url);
}

static bool keep_hash(struct set *s, const struct upload_item *item)
{
    size_t n = strlen(item->url);

    if (n < HASH_HEX || n - HASH_HEX >= HEAD)
        return !fail("the server names a file in a way that this program does not know.");
    snprintf(s->head, sizeof(s->head), "%.*s", (int)(n - HASH_HEX), item->url);
    memcpy(s->hashes[item->file], item->url + n - HASH_HEX, HASH_HEX);
    return true;
}

static bool upload_batch(struct set *s, struct upload *u)
{
    bool good = upload_run(u, (int)s->o->parallel);

    for (size_t i = 0; good && i < u->n; i++)
        if (u->items[i].ok)
            good = keep_hash(s, &u->items[i]);
    if (good && !s->skip && upload_failures(u))
        good = !fail("nothing was imported.");
    upload_clear(u);
    return good;
}

static bool upload_media(struct set *s)
{
    size_t n = file_set_count(s->source);
    struct upload *u = upload_new();
    struct progress p;
    int64_t total = 0, done = 0;
    bool good = true;

    for (size_t i = 0; i < n; i++)
        total += s->wanted[i];
    u->any = s->format == &reader_label_studio;
    progress_begin(&p, "files", total);
    for (size_t i = 0; good && i < n; i++) {
        if (!s->wanted[i])
            continue;
        upload_add_file(u, s->source, i);
        done++;
        if (u->n == UPLOAD_BATCH) {
            good = upload_batch(s, u);
            progress_show(&p, done, total);
        }
    }
    good = good && upload_batch(s, u);
    if (good)
        progress_end(&p, done);
    upload_free(u);
    return good;
}

/* ---- reading */

/* True to go on. The second reading meets the same again, and what the upload has told. */
static bool tell_bad(struct set *s, const struct reader *r)
{
    bool again = s->skip && s->making.url == stored;

    s->bad++;
    if (again)
        return !r->over;
    if (s->bad <= TOLD)
        fail("%s: %s.", r->where, r->why);
    else if (s->bad == TOLD + 1)
        fail("and more.");
    return !r->over;
}

static enum err check_name(
    struct reader *r, const struct reader_item *item, struct digest_map *names)
{
    bool fresh = true;

    if (item->name.n)
        (void)digest_map_at(names, item->name, &fresh);
    return fresh ? ERR_OK
                 : reader_bad(r, item->about, "", "%.*s is there twice",
                       (int)(item->name.n < 200 ? item->name.n : 200), item->name.p);
}

/* False when it cannot go on. */
static bool read_one(struct set *s, struct reader *r, struct digest_map *names, bool *got)
{
    struct arena *a = arena_new();
    struct reader_item item;
    size_t before = s->lines.tail.n;
    enum err e = reader_next(r, a, &item, got);

    if (!e && *got)
        e = check_name(r, &item, names);
    if (!e && *got)
        e = result_task(r, &s->making, &item, a, &s->lines.tail);
    if (!e && *got)
        s->tasks++;
    arena_free(a);
    if (e == ERR_INVALID) {
        s->lines.tail.n = before;
        *got = true;
        return tell_bad(s, r);
    }
    if (!e)
        e = spool_settle(&s->lines);
    if (e)
        fail("the data set cannot be read: %s.", err_title(e));
    return e == ERR_OK;
}

/* Reads the data set from end to end, each task a line in s->lines. */
static bool read_all(struct set *s, const char *what)
{
    struct digest_map names;
    struct progress p;
    struct reader r;
    bool got = true, good;

    s->tasks = s->bad = 0;
    spool_release(&s->lines);
    spool_init(&s->lines);
    digest_map_init(&names);
    progress_begin(&p, what, -1);
    good = reader_open(&r, s->format, s->source, s->config,
               str_of(s->o->split ? s->o->split : "")) == ERR_OK;
    if (!good)
        (void)tell_bad(s, &r);
    while (good && got) {
        good = read_one(s, &r, &names, &got);
        progress_show(&p, s->tasks, -1);
    }
    if (good)
        progress_end(&p, s->tasks);
    memcpy(s->notes, r.notes, sizeof(s->notes));
    s->nnotes = r.nnotes;
    reader_close(&r);
    digest_map_release(&names);
    return good;
}

/* ---- sending */

struct sending {
    const struct spool *lines;
    int64_t off;
    struct progress *progress;
    struct buf piece;
};

static ptrdiff_t read_lines(void *arg, void *p, size_t n)
{
    struct sending *g = arg;

    buf_clear(&g->piece);
    if (spool_read(g->lines, g->off, n < (64 << 10) ? n : 64 << 10, &g->piece))
        return -1;
    if (g->piece.n)
        memcpy(p, g->piece.p, g->piece.n);
    g->off += (int64_t)g->piece.n;
    return (ptrdiff_t)g->piece.n;
}

static void show_bytes(void *progress, int64_t done, int64_t total)
{
    progress_show(progress, done, total);
}

/* What the server alone could know to be bad. */
static void tell_refused(struct set *s, struct json_object *answer)
{
    struct json_object *list = json_object_object_get(answer, "errors");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n && i < TOLD; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        fail("task %" PRId64 " was refused, %s: %s.", api_int(one, "item") + 1,
            api_text(one, "pointer"), api_text(one, "detail"));
    }
    s->bad += api_int(answer, "failed");
}

static bool send(struct set *s)
{
    struct progress p;
    struct sending g = {.lines = &s->lines};
    struct http_source from = {read_lines, &g, spool_bytes(&s->lines)};
    char path[96];
    struct json_object *o;

    snprintf(path, sizeof(path), "%s?errors=%s", s->path, s->o->errors);
    buf_init(&g.piece, 64 << 10);
    progress_begin(&p, "bytes", from.size);
    http_client_progress(s->api->http, show_bytes, &p);
    enum err e = http_client_upload(
        s->api->http, "POST", path, NULL, "application/x-ndjson", &from, &s->api->answer);
    buf_release(&g.piece);
    http_client_progress(s->api->http, NULL, NULL);
    bool good = api_ok(s->api, e, "creating tasks");
    o = e ? NULL : api_json(s->api);
    if (o)
        tell_refused(s, o);
    if (good && o) {
        s->created = api_int(o, "created");
        s->skipped = api_int(o, "skipped");
        s->labels = api_int(o, "labels");
        progress_end(&p, from.size);
    }
    good = good && o;
    json_object_put(o);
    return good;
}

/* ---- the whole */

static bool open_project(struct set *s)
{
    char why[LABEL_CONFIG_WHY];
    struct json_object *o;
    bool good;

    snprintf(s->path, sizeof(s->path), "/v1/projects/%" PRId64, s->o->project);
    o = api_call(s->api, "GET", s->path, NULL);
    if (!o)
        return false;
    snprintf(s->path, sizeof(s->path), "/v1/projects/%" PRId64 "/tasks", s->o->project);
    good = label_config_parse(str_of(api_text(o, "label_config")), &s->config, why) == ERR_OK;
    json_object_put(o);
    if (!good)
        return !fail("the project's label config cannot be read: %s.", why);
    if (s->format != &reader_label_studio && result_field(s->config).n == 0)
        return !fail("the project's label config shows no <Image>.");
    return true;
}

static bool open_source(struct set *s)
{
    const struct set_options *o = s->o;
    char why[FILE_SET_WHY];

    if (o->from && !bucket_set_open(o->from, !o->allow_private, (int)o->parallel, &s->source))
        return false;
    if (!o->from && file_set_open(o->path, &s->source, why))
        return !fail("%s: %s", o->path, why);
    s->wanted = calloc(file_set_count(s->source), 1);
    s->hashes = calloc(file_set_count(s->source), sizeof(*s->hashes));
    BUG_ON(!s->wanted || !s->hashes);
    return true;
}

static bool run(struct set *s)
{
    if (!open_project(s) || !open_source(s))
        return false;
    s->making = (struct result_options){.config = s->config,
        .map = str_of(s->o->map ? s->o->map : ""),
        .predictions = strcmp(s->o->as, "predictions") == 0,
        .model = s->o->model ? s->o->model : s->o->format,
        .url = want,
        .arg = s};
    if (!read_all(s, "tasks checked") || (s->bad && !s->skip)) {
        fail("nothing was imported.");
        return false;
    }
    if (s->tasks == 0)
        return !fail("there is nothing to import.");
    if (!upload_media(s))
        return false;
    s->making.url = stored;
    return read_all(s, "tasks") && (s->bad == 0 || s->skip) && send(s);
}

static void print_sums(const struct set *s)
{
    printf("{\"created\":%" PRId64 ",\"skipped\":%" PRId64 ",\"failed\":%" PRId64
           ",\"labels\":%" PRId64 ",\"changed\":{",
        s->created, s->skipped, s->bad, s->labels);
    for (size_t i = 0; i < s->nnotes; i++) {
        struct buf name;
        buf_init(&name, BUF_MAX_LINE);
        buf_json(&name, str_of(s->notes[i].name));
        printf("%s%.*s:%" PRId64, i ? "," : "", STR_FMT(buf_view(&name)), s->notes[i].times);
        buf_release(&name);
    }
    puts("}}");
}

int import_set(struct api *api, const struct set_options *o)
{
    struct set s = {.o = o, .api = api, .format = reader_find(str_of(o->format))};
    bool good;

    s.skip = strcmp(o->errors, "skip") == 0;
    spool_init(&s.lines);
    good = run(&s);
    print_sums(&s);
    spool_release(&s.lines);
    file_set_close(s.source);
    label_config_free(s.config);
    free(s.wanted);
    free(s.hashes);
    return good && s.bad == 0 ? 0 : 1;
}
