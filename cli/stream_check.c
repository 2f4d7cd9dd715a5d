/* Owns the check of a stream. Never trusts what a record says of itself where it can be computed.
 */
#include "cli/stream_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "cli/digest_map.h"
#include "core/json_tree.h"
#include "core/merkle.h"
#include "core/workflow.h"

enum { MAX_MESSAGES = 20, VALUE_DEPTH = 64 };

/* What the events say of a task, and what the labels topic says. */
struct task {
    int64_t id, version, done_version; /* done_version: 0 when it is not done */
    int64_t label_version;             /* ce_sequence of its last label record; 0: none */
    bool labelled;                     /* and that was no tombstone */
};

struct release {
    int64_t items, count; /* seen; promised by begin */
    bool ended;
    struct release_tree *tree; /* NULL before begin and after end */
};

struct stream_check {
    struct digest_map ids, task_index, release_index;
    struct task *tasks;
    struct release *releases;
    size_t ntasks, nreleases;
    int64_t events, actions[ACTION_COUNT], other_events;
    int64_t label_records, tombstones, release_items;
    int64_t errors;
    size_t nmessages;
    char *messages[MAX_MESSAGES];
};

struct stream_check *stream_check_new(void)
{
    struct stream_check *c = calloc(1, sizeof(*c));

    BUG_ON(!c);
    return c;
}

void stream_check_free(struct stream_check *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->nmessages; i++)
        free(c->messages[i]);
    for (size_t i = 0; i < c->nreleases; i++)
        free(c->releases[i].tree);
    free(c->releases);
    free(c->tasks);
    digest_map_release(&c->ids);
    digest_map_release(&c->task_index);
    digest_map_release(&c->release_index);
    free(c);
}

PRINTF(2, 3) static void wrong(struct stream_check *c, const char *fmt, ...)
{
    va_list ap;

    c->errors++;
    if (c->nmessages == MAX_MESSAGES)
        return;
    va_start(ap, fmt);
    if (vasprintf(&c->messages[c->nmessages], fmt, ap) >= 0)
        c->nmessages++;
    va_end(ap);
}

/* --- small readers --- */

static struct str get_text(struct json_object *o, const char *name)
{
    struct json_object *v;

    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
        return STR("");
    return (struct str){json_object_get_string(v), (size_t)json_object_get_string_len(v)};
}

/* -1 when there is no such whole number. */
static int64_t get_int(struct json_object *o, const char *name)
{
    struct json_object *v;

    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_int))
        return -1;
    return json_object_get_int64(v);
}

/* NULL after noting that the value is no JSON object. */
static struct json_object *read_value(struct stream_check *c, const struct record *r)
{
    struct json_object *o = NULL;

    if (!json_tree_parse(r->value, VALUE_DEPTH, &o, NULL) &&
        json_object_is_type(o, json_type_object))
        return o;
    json_object_put(o);
    wrong(c, "%s, key %.*s: the value is no JSON object", topic_name(r->topic), STR_FMT(r->key));
    return NULL;
}

static int64_t sequence_of(const struct record *r)
{
    int64_t n;

    return str_int(record_get(r, "ce_sequence"), &n) ? n : 0;
}

/* The element of an array that the map leads to; made (zeroed) when the key is new. */
static void *element(struct digest_map *index, struct str key, void **array, size_t *n, size_t size)
{
    bool fresh;
    int64_t *at = digest_map_at(index, key, &fresh);

    if (fresh) {
        *at = (int64_t)*n;
        if ((*n & (*n - 1)) == 0) { /* full at powers of two */
            *array = reallocarray(*array, *n ? 2 * *n : 1, size);
            BUG_ON(!*array);
        }
        memset((char *)*array + *n * size, 0, size);
        ++*n;
    }
    return (char *)*array + (size_t)*at * size;
}

static struct task *task_of(struct stream_check *c, struct str key)
{
    void *array = c->tasks;
    struct task *t = element(&c->task_index, key, &array, &c->ntasks, sizeof(*t));

    c->tasks = array;
    if (!t->id && !str_int(key, &t->id))
        wrong(c, "the key %.*s is no task", STR_FMT(key));
    return t;
}

/* --- events --- */

static void check_move(struct stream_check *c, struct task *t, struct json_object *o,
    enum action action, int64_t version)
{
    struct str from_name = get_text(o, "from"), to_name = get_text(o, "to");
    enum task_state from, to;

    if (!task_state_parse(from_name, &from) || !task_state_parse(to_name, &to) ||
        !workflow_legal(from, action, to)) {
        wrong(c, "task %" PRId64 ": %s from %.*s to %.*s is not in the workflow", t->id,
            action_name(action), STR_FMT(from_name), STR_FMT(to_name));
        return;
    }
    if (!workflow_moves(action)) {
        if (version > t->version)
            wrong(c, "task %" PRId64 ": %s at version %" PRId64 ", but only %" PRId64 " is known",
                t->id, action_name(action), version, t->version);
        return;
    }
    if (version != t->version + 1)
        wrong(c, "task %" PRId64 ": %s made version %" PRId64 " behind version %" PRId64, t->id,
            action_name(action), version, t->version);
    t->version = version;
    t->done_version = to == TASK_DONE ? version : 0;
}

static void check_event(struct stream_check *c, const struct record *r)
{
    struct json_object *o = read_value(c, r);
    enum action action;

    c->events++;
    if (!o)
        return;
    if (get_int(o, "task") < 0)
        c->other_events++; /* about a project or a release */
    else if (!action_parse(get_text(o, "action"), &action))
        wrong(c, "task %.*s: an action of no known name", STR_FMT(r->key));
    else {
        c->actions[action]++;
        check_move(c, task_of(c, r->key), o, action, get_int(o, "version"));
    }
    json_object_put(o);
}

/* --- labels --- */

/* The document is the value's last member, and the header says its size. */
static void check_document(struct stream_check *c, const struct record *r)
{
    struct str hex = record_get(r, "ce_datasha256");
    struct sha256 want;
    int64_t size;

    if (hex.n == 0 || record_get(r, "ce_dataref").n)
        return; /* done without a label, or the document is elsewhere */
    if (!sha256_parse(hex, &want) || !str_int(record_get(r, "ce_datasize"), &size) || size < 1 ||
        (size_t)size >= r->value.n) {
        wrong(c, "label of task %.*s: its headers do not describe it", STR_FMT(r->key));
        return;
    }
    struct str doc = {r->value.p + r->value.n - 1 - size, (size_t)size};
    if (!sha256_eq(sha256_of(doc), want))
        wrong(c, "label of task %.*s: the document does not match its hash", STR_FMT(r->key));
}

static void check_label(struct stream_check *c, const struct record *r)
{
    struct task *t = task_of(c, r->key);
    int64_t sequence = sequence_of(r);

    c->label_records++;
    c->tombstones += r->tombstone;
    if (sequence <= t->label_version)
        wrong(c, "label of task %" PRId64 ": version %" PRId64 " stands behind version %" PRId64,
            t->id, sequence, t->label_version);
    t->label_version = sequence;
    t->labelled = !r->tombstone;
    if (!r->tombstone)
        check_document(c, r);
}

/* --- releases --- */

static struct release *release_of(struct stream_check *c, struct str key)
{
    void *array = c->releases;
    struct release *r = element(&c->release_index, key, &array, &c->nreleases, sizeof(*r));

    c->releases = array;
    return r;
}

static void begin_release(
    struct stream_check *c, struct release *release, const struct record *r, struct json_object *o)
{
    if (release->tree || release->ended) {
        wrong(c, "release %.*s begins twice", STR_FMT(r->key));
        return;
    }
    release->tree = calloc(1, sizeof(*release->tree));
    BUG_ON(!release->tree);
    release_tree_init(release->tree, NULL);
    release->count = get_int(o, "items");
}

static void end_release(
    struct stream_check *c, struct release *release, const struct record *r, struct json_object *o)
{
    struct sha256 root = release_tree_root(release->tree), want;

    if (get_int(o, "count") != release->items || release->count != release->items)
        wrong(c, "release %.*s has %" PRId64 " items; it promised %" PRId64, STR_FMT(r->key),
            release->items, get_int(o, "count"));
    if (!sha256_parse(get_text(o, "root"), &want) || !sha256_eq(root, want))
        wrong(c, "release %.*s: the items do not have the root it claims", STR_FMT(r->key));
    free(release->tree);
    release->tree = NULL;
    release->ended = true;
}

static void check_release(struct stream_check *c, const struct record *r)
{
    struct str type = record_get(r, "ce_type");
    struct release *release = release_of(c, r->key);
    struct json_object *o = read_value(c, r);

    if (!o)
        return;
    if (str_is(type, "annotate.release.begin.v1")) {
        begin_release(c, release, r, o);
    } else if (!release->tree) {
        wrong(c, "release %.*s: a record outside of begin and end", STR_FMT(r->key));
    } else if (str_is(type, "annotate.release.end.v1")) {
        end_release(c, release, r, o);
    } else {
        c->release_items++;
        release->items++;
        if (release_tree_add(release->tree, get_text(o, "k"), r->value))
            wrong(c, "release %.*s: item %" PRId64 " is out of order", STR_FMT(r->key),
                release->items);
    }
    json_object_put(o);
}

/* --- all --- */

void stream_check_add(struct stream_check *c, const struct record *r)
{
    static void (*const checks[TOPIC_COUNT])(struct stream_check *, const struct record *) = {
        [TOPIC_EVENTS] = check_event,
        [TOPIC_LABELS] = check_label,
        [TOPIC_RELEASES] = check_release};
    struct str id = record_get(r, "ce_id");
    bool fresh;

    if (id.n == 0)
        wrong(c, "%s, key %.*s: a record without ce_id", topic_name(r->topic), STR_FMT(r->key));
    (void)digest_map_at(&c->ids, id, &fresh);
    if (!fresh)
        wrong(c, "%s: %.*s is there twice", topic_name(r->topic), STR_FMT(id));
    checks[r->topic](c, r);
}

/* What only the whole stream shows. Returns how many labels there are now. */
static int64_t finish(struct stream_check *c)
{
    int64_t labels = 0;

    for (size_t i = 0; i < c->ntasks; i++) {
        const struct task *t = &c->tasks[i];
        labels += t->labelled;
        if (t->labelled != (t->done_version > 0))
            wrong(c, "task %" PRId64 " is %s, but has %s label", t->id,
                t->done_version ? "done" : "not done", t->labelled ? "a" : "no");
        else if (t->labelled && t->label_version != t->done_version)
            wrong(c, "task %" PRId64 " was done with version %" PRId64 "; its label is of %" PRId64,
                t->id, t->done_version, t->label_version);
    }
    for (size_t i = 0; i < c->nreleases; i++)
        if (!c->releases[i].ended)
            wrong(c, "a release of %" PRId64 " items has no end", c->releases[i].count);
    return labels;
}

static void print_messages(const struct stream_check *c, struct buf *b)
{
    buf_puts(b, ",\"messages\":[");
    for (size_t i = 0; i < c->nmessages; i++) {
        buf_json(b, str_of(c->messages[i]));
        buf_putc(b, ',');
    }
    buf_chop(b, ',');
    buf_putc(b, ']');
}

int64_t stream_check_report(struct stream_check *c, FILE *out)
{
    int64_t labels = finish(c);
    struct buf b;

    buf_init(&b, BUF_MAX_JSON);
    buf_printf(&b, "{\"events\":%" PRId64 ",\"actions\":{", c->events);
    for (int a = 0; a < ACTION_COUNT; a++)
        if (c->actions[a])
            buf_printf(&b, "\"%s\":%" PRId64 ",", action_name((enum action)a), c->actions[a]);
    buf_chop(&b, ',');
    buf_printf(&b, "},\"other_events\":%" PRId64 ",\"tasks\":%zu,\"labels\":%" PRId64,
        c->other_events, c->ntasks, labels);
    buf_printf(&b, ",\"label_records\":%" PRId64 ",\"tombstones\":%" PRId64, c->label_records,
        c->tombstones);
    buf_printf(&b, ",\"releases\":%zu,\"release_items\":%" PRId64 ",\"errors\":%" PRId64,
        c->nreleases, c->release_items, c->errors);
    print_messages(c, &b);
    buf_puts(&b, "}\n");
    fwrite(b.p, 1, b.n, out);
    buf_release(&b);
    return c->errors;
}
