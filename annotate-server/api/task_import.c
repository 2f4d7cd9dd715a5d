/* Owns importing tasks: the body is cut into items as it arrives, and each chunk of them is one
 * statement, so memory does not grow with the file (I9). Never takes an item it does not
 * understand: the answer names it, and what came before it stays imported (external_id makes
 * sending the file again safe). */
#include "annotate-server/api/park.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/tasks.h"
#include "annotate-server/project.h"
#include "base/json_scan.h"

enum {
    CHUNK_ITEMS = 1000,
    CHUNK_BYTES = 1 << 20,
    ITEM_MAX = 8 << 20, /* bytes of one task */
    PRIORITY_MAX = 1000000,
};

struct import {
    struct req *r;
    struct buf in;  /* not cut yet */
    size_t scan_at; /* do not scan again before so much is there */
    enum { FORM_UNKNOWN, FORM_ARRAY, FORM_LINES } form;
    bool after_item, closed, ended, busy, failed;
    int64_t seen, created, first, last;
    struct json_tokener *tokener;
    /* the chunk being gathered or written */
    struct db_call call;
    struct db_array ord, data, meta, external, priority;
    int items;
    size_t bytes;
};

static void release_arrays(struct import *im)
{
    db_array_release(&im->ord);
    db_array_release(&im->data);
    db_array_release(&im->meta);
    db_array_release(&im->external);
    db_array_release(&im->priority);
}

static void new_chunk(struct import *im)
{
    release_arrays(im);
    db_array_init(&im->ord, DB_INT4);
    db_array_init(&im->data, DB_TEXT);
    db_array_init(&im->meta, DB_TEXT);
    db_array_init(&im->external, DB_TEXT);
    db_array_init(&im->priority, DB_INT4);
    im->items = 0;
    im->bytes = 0;
}

static void release(void *arg)
{
    struct import *im = arg;

    release_arrays(im);
    buf_release(&im->in);
    json_tokener_free(im->tokener);
}

/* The answer tells what is in already, so that nobody has to guess. */
static void fail(struct import *im, enum err e, const char *member, const char *why)
{
    struct req *r = im->r;
    char *extra = arena_printf(
        r->arena, "\"created\":%lld,\"item\":%lld", (long long)im->created, (long long)im->seen);

    if (im->failed)
        return;
    im->failed = true;
    if (e == ERR_BUSY || e == ERR_UNAVAILABLE)
        req_set_header(r, "Retry-After", "1");
    req_fail_extra(r, e, arena_printf(r->arena, "/%lld%s", (long long)im->seen, member), extra,
        "item %lld: %s", (long long)im->seen, why);
}

static void reply(struct import *im)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_printf(&out, "{\"created\":%lld,\"skipped\":%lld,", (long long)im->created,
        (long long)(im->seen - im->created));
    if (im->created)
        buf_printf(
            &out, "\"first_id\":%lld,\"last_id\":%lld}", (long long)im->first, (long long)im->last);
    else
        buf_puts(&out, "\"first_id\":null,\"last_id\":null}");
    req_reply_json(im->r, 201, &out);
    buf_release(&out);
}

/* ---- one item */

static bool is_text(struct json_object *v, size_t max)
{
    return json_object_is_type(v, json_type_string) && json_object_get_string_len(v) >= 1 &&
           (size_t)json_object_get_string_len(v) <= max;
}

/* Every field that the label config shows must be there. */
static bool has_fields(struct import *im, struct json_object *data)
{
    for (const struct label_object *o = im->r->project->config->objects; o; o = o->next) {
        char *field = arena_copy(im->r->arena, o->field.p, o->field.n);
        if (o->field.n == 0 || o->name.indexed || json_object_object_get_ex(data, field, NULL))
            continue;
        fail(im, ERR_INVALID, arena_printf(im->r->arena, "/data/%s", field),
            "the label config shows this field, and it is missing");
        return false;
    }
    return true;
}

static struct str text_of(struct json_object *v)
{
    size_t n;
    const char *p = json_object_to_json_string_length(
        v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

    return (struct str){p, n};
}

static bool known_members(struct import *im, struct json_object *item)
{
    static const char *const members[] = {"data", "meta", "external_id", "priority", "id",
        "annotations", "predictions", "allow_skip"};
    struct json_object *list;

    json_object_object_foreach(item, key, value)
    {
        size_t k = 0;
        (void)value;
        while (k < ARRAY_LEN(members) && strcmp(key, members[k]) != 0)
            k++;
        if (k == ARRAY_LEN(members)) {
            fail(im, ERR_INVALID, arena_printf(im->r->arena, "/%s", key), "unknown member");
            return false;
        }
    }
    for (size_t k = 5; k <= 6; k++) /* refused rather than dropped: nobody's labels vanish */
        if (json_object_object_get_ex(item, members[k], &list) &&
            !(json_object_is_type(list, json_type_array) && json_object_array_length(list) == 0)) {
            fail(im, ERR_NOT_IMPLEMENTED, arena_printf(im->r->arena, "/%s", members[k]),
                "labels inside an imported task are not taken; import tasks without them");
            return false;
        }
    return true;
}

/* {"data":…} or, as Label Studio takes it, the data alone. */
static bool add_item(struct import *im, struct json_object *item)
{
    struct json_object *data = item, *meta = NULL, *external = NULL, *priority = NULL;

    if (!json_object_is_type(item, json_type_object)) {
        fail(im, ERR_INVALID, "", "a task must be an object");
        return false;
    }
    if (json_object_object_get_ex(item, "data", &data)) {
        if (!known_members(im, item))
            return false;
        json_object_object_get_ex(item, "meta", &meta);
        json_object_object_get_ex(item, "external_id", &external);
        json_object_object_get_ex(item, "priority", &priority);
    } else {
        data = item;
    }
    if (!json_object_is_type(data, json_type_object)) {
        fail(im, ERR_INVALID, "/data", "must be an object");
        return false;
    }
    if (external && !is_text(external, 500)) {
        fail(im, ERR_INVALID, "/external_id", "must be a string of 1 to 500 bytes");
        return false;
    }
    if (priority && !(json_object_is_type(priority, json_type_int) &&
                        json_object_get_int64(priority) >= -PRIORITY_MAX &&
                        json_object_get_int64(priority) <= PRIORITY_MAX)) {
        fail(im, ERR_INVALID, "/priority", "must be a whole number within a million of 0");
        return false;
    }
    if (!has_fields(im, data))
        return false;
    db_array_int(&im->ord, ++im->items);
    db_array_text(&im->data, text_of(data));
    db_array_text(&im->meta, meta ? text_of(meta) : (struct str){NULL, 0});
    db_array_text(&im->external, external ? (struct str){json_object_get_string(external),
                                                (size_t)json_object_get_string_len(external)}
                                          : (struct str){NULL, 0});
    db_array_int(&im->priority, priority ? json_object_get_int64(priority) : 0);
    im->bytes += text_of(data).n;
    return true;
}

/* ---- cutting the stream */

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Steps over blanks and the array's own brackets and commas. False when bytes are wanted or the
 * input is bad (failed). */
static bool to_next_item(struct import *im, size_t *pos)
{
    struct str in = buf_view(&im->in);

    for (; *pos < in.n; ++*pos) {
        char c = in.p[*pos];
        if (space(c))
            continue;
        if (im->closed) {
            fail(im, ERR_BAD_JSON, "", "bytes after the end of the array");
            return false;
        }
        if (im->form == FORM_UNKNOWN) {
            im->form = c == '[' ? FORM_ARRAY : FORM_LINES;
            if (c == '[')
                continue;
        }
        if (im->form == FORM_LINES)
            return true;
        if (c == ']' && (im->after_item || im->seen == 0)) {
            im->closed = true;
        } else if (im->after_item) {
            if (c != ',') {
                fail(im, ERR_BAD_JSON, "", "a comma is missing after this item");
                return false;
            }
            im->after_item = false;
        } else {
            return true;
        }
    }
    return false;
}

static bool take_item(struct import *im, struct str text)
{
    struct json_object *item;
    bool good;

    json_tokener_reset(im->tokener);
    item = json_tokener_parse_ex(im->tokener, text.p, (int)text.n);
    if (!item && json_tokener_get_error(im->tokener) > json_tokener_continue) {
        fail(im, ERR_BAD_JSON, "", "not JSON");
        return false;
    }
    /* NULL: null, or a number that ends with the text. Neither is a task, as add_item() says. */
    good = add_item(im, item);
    json_object_put(item);
    im->seen += good;
    im->after_item = true;
    return good;
}

/* Cuts items until the chunk is full or bytes are wanted. */
static void cut(struct import *im)
{
    size_t pos = 0;

    while (!im->failed && im->items < CHUNK_ITEMS && im->bytes < CHUNK_BYTES &&
           to_next_item(im, &pos)) {
        struct str rest = {im->in.p + pos, im->in.n - pos};
        struct json_error error = {.why = ""};
        size_t length = 0;
        enum json_cut c = json_scan_value(rest, im->ended, JSON_DEPTH_IMPORT, &length, &error);
        if (c == JSON_BAD) {
            fail(im, ERR_BAD_JSON, error.pointer, error.why);
        } else if (c == JSON_MORE) {
            if (rest.n >= ITEM_MAX)
                fail(im, ERR_TOO_LARGE, "", "one task must not have more than 8 MiB");
            im->scan_at = 2 * rest.n; /* a long item is not scanned at every packet */
            break;
        } else if (take_item(im, (struct str){rest.p, length})) {
            pos += length;
            im->scan_at = 0;
        }
    }
    if (pos) {
        memmove(im->in.p, im->in.p + pos, im->in.n - pos);
        im->in.n -= pos;
    }
}

/* ---- writing chunks */

static void advance(struct import *im);

static void written(struct db_call *call, enum err e, const PGresult *res)
{
    struct import *im = container_of(call, struct import, call);

    im->busy = false;
    if (e) {
        fail(im, e, "", err_title(e));
        return;
    }
    int64_t n = db_get_int(res, 0, 0);
    if (n) {
        im->first = im->created ? im->first : db_get_int(res, 0, 1);
        im->last = db_get_int(res, 0, 2);
        im->created += n;
        park_wake(im->r->ctx->server, im->r->who.tenant, im->r->project->id,
            im->r->project->workflow.prelabel ? STAGE_PRELABEL : STAGE_ANNOTATE);
    }
    new_chunk(im);
    if (!im->ended)
        req_body_resume(im->r);
    advance(im);
}

static void write_chunk(struct import *im)
{
    struct req *r = im->r;
    const struct workflow *w = &r->project->workflow;
    struct task_facts facts = {.salt = r->project->salt, .state = TASK_NONE, .overlap = w->overlap};
    struct decision d;

    if (workflow_decide(w, &facts, ACTION_IMPORT, &d)) {
        fail(im, ERR_INTERNAL, "", "the workflow takes no tasks");
        return;
    }
    im->busy = true;
    if (!im->ended)
        req_body_pause(r);
    db_call_init(&im->call, STMT_task_import, r->who.tenant, written);
    db_int(&im->call, r->arena, r->project->id);
    db_array_bind(&im->ord, &im->call);
    db_array_bind(&im->data, &im->call);
    db_array_bind(&im->meta, &im->call);
    db_array_bind(&im->external, &im->call);
    db_array_bind(&im->priority, &im->call);
    db_text(&im->call, r->arena, str_of(task_state_name(d.to)));
    db_int(&im->call, r->arena, w->overlap);
    db_int(&im->call, r->arena, d.open_slots);
    db_int(&im->call, r->arena, r->who.user);
    db_submit(r->ctx->db, &im->call);
}

/* The one place that decides what comes next: cut, write, or answer. */
static void advance(struct import *im)
{
    if (im->busy || im->failed)
        return;
    if (im->in.n >= im->scan_at || im->ended)
        cut(im);
    if (im->failed)
        return;
    if (im->items >= CHUNK_ITEMS || im->bytes >= CHUNK_BYTES || (im->ended && im->items)) {
        write_chunk(im);
        return;
    }
    if (!im->ended)
        return;
    if (im->in.n && !im->closed)
        fail(im, ERR_BAD_JSON, "", "the body ends inside an item");
    else if (im->form == FORM_ARRAY && !im->closed)
        fail(im, ERR_BAD_JSON, "", "the array is not closed");
    else
        reply(im);
}

static void on_data(struct req *r, struct str data)
{
    struct import *im = r->user;

    if (im->failed)
        return;
    buf_str(&im->in, data);
    if (buf_err(&im->in))
        fail(im, buf_err(&im->in) == ERR_FULL ? ERR_TOO_LARGE : buf_err(&im->in), "",
            "the item is too large");
    else
        advance(im);
}

static void on_end(struct req *r)
{
    struct import *im = r->user;

    im->ended = true;
    if (!im->failed && im->in.n) { /* trailing blanks are nothing */
        size_t n = im->in.n;
        while (n && space(im->in.p[n - 1]))
            n--;
        im->in.n = n;
    }
    advance(im);
}

static void on_close(struct req *r)
{
    struct import *im = r->user;

    if (!im->busy)
        fail(im, ERR_TIMEOUT, "", "the client went away");
    else
        im->ended = true; /* what has been cut is finished; the answer goes nowhere */
}

void task_import_handler(struct req *r)
{
    static const struct req_stream stream = {on_data, on_end};
    struct import *im = arena_alloc(r->arena, sizeof(*im));

    im->r = r;
    buf_init(&im->in, ITEM_MAX + (1 << 20));
    im->tokener = json_tokener_new_ex(JSON_DEPTH_IMPORT);
    BUG_ON(!im->tokener);
    json_tokener_set_flags(im->tokener, JSON_TOKENER_STRICT);
    new_chunk(im);
    arena_defer(r->arena, release, im);
    r->user = im;
    r->on_close = on_close;
    req_read_body(r, &stream);
}
