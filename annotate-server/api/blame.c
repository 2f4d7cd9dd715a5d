/* Owns telling who last changed each region of a task's label: one document at a time, off the
 * loop, within a bound of bytes. Never changes anything. */
#include "annotate-server/api/label_lineage.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/tasks.h"
#include "base/json_scan.h"
#include "base/log.h"

enum { MOST_BYTES = 64 << 20 }; /* of documents read for one answer */

struct tracing {
    struct req *r;
    struct lineage lineage;
    const struct blamed *list;
    struct label_blame *blame;
    struct buf text; /* the document at hand */
    size_t n;
    int64_t bytes;
    bool complete;
    enum err err;
};

static void release(void *arg)
{
    struct tracing *t = arg;

    label_blame_free(t->blame);
    buf_release(&t->text);
}

static enum err fetch(struct tracing *t, size_t version)
{
    const struct content *place = &t->lineage.places[version];
    struct req *r = t->r;
    enum err e;

    buf_clear(&t->text);
    e = pack_get(&r->ctx->server->blobs, r->who.tenant, place->pack, place->off, place->bytes,
        place->sha256, &t->text);
    if (e && e != ERR_GONE)
        log_error("label_read", "a label document: %s", err_title(e));
    t->bytes += place->bytes;
    return e;
}

/* On a work thread. What cannot be read, or is too much, leaves the answer incomplete: what such a
 * version may have said counts as changed after it. */
static void trace(void *arg)
{
    struct tracing *t = arg;
    size_t version = t->lineage.n - 1;

    t->err = fetch(t, version);
    if (!t->err)
        t->err = label_blame_new(t->lineage.parents, t->lineage.n, buf_view(&t->text), &t->blame);
    if (t->err)
        return;
    while (label_blame_next(t->blame, &version)) {
        if (t->bytes + t->lineage.places[version].bytes > MOST_BYTES) {
            t->complete = false;
            break;
        }
        if (fetch(t, version) || label_blame_read(t->blame, buf_view(&t->text)))
            t->complete = false;
    }
}

static void put_one(struct buf *out, const struct tracing *t, const struct blamed *b)
{
    static const char *const what[] = {
        [BLAME_REGION] = "region", [BLAME_ANSWER] = "answer", [BLAME_RELATION] = "relation"};
    const struct {
        const char *name;
        struct str value;
    } members[] = {{"id", b->id}, {"to_id", b->to_id}, {"control", b->control}, {"type", b->type}};

    buf_printf(out, "{\"what\":\"%s\"", what[b->what]);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        buf_printf(out, ",\"%s\":", members[i].name);
        if (members[i].value.n)
            buf_json(out, members[i].value);
        else
            buf_puts(out, "null");
    }
    buf_printf(out, ",\"label\":%lld},", (long long)t->lineage.ids[b->version]);
}

/* The versions that are to blame for something, oldest first. */
static void put_versions(struct buf *out, const struct tracing *t)
{
    bool *named = arena_array(t->r->arena, t->lineage.n, sizeof(*named));

    for (size_t i = 0; i < t->n; i++)
        named[t->list[i].version] = true;
    buf_puts(out, ",\"versions\":[");
    for (size_t i = 0; i < t->lineage.n; i++)
        if (named[i])
            buf_printf(out, "{%.*s},", STR_FMT(t->lineage.shown[i]));
    buf_chop(out, ',');
    buf_putc(out, ']');
}

static void on_traced(void *arg)
{
    struct tracing *t = arg;
    struct buf out;

    if (t->err) {
        if (t->err == ERR_GONE)
            req_fail(t->r, ERR_GONE, NULL, "the label was erased");
        else
            req_fail(t->r, ERR_CORRUPT, NULL, "the label's content cannot be read");
        return;
    }
    t->n = label_blame_list(t->blame, t->r->arena, &t->list);
    buf_init(&out, BUF_MAX_REPLY);
    buf_printf(&out, "{\"label\":%lld,\"complete\":%s,\"blame\":[",
        (long long)t->lineage.ids[t->lineage.n - 1], t->complete ? "true" : "false");
    for (size_t i = 0; i < t->n; i++)
        put_one(&out, t, &t->list[i]);
    buf_chop(&out, ',');
    buf_putc(&out, ']');
    put_versions(&out, t);
    buf_putc(&out, '}');
    req_reply_json(t->r, 200, &out);
    buf_release(&out);
}

static void reply_empty(struct req *r)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"label\":null,\"complete\":true,\"blame\":[],\"versions\":[]}");
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static void on_ancestry(struct req *r, const PGresult *res)
{
    struct tracing *t = arena_alloc(r->arena, sizeof(*t));
    int64_t *label = r->user;

    if (PQntuples(res) == 0) {
        if (*label)
            req_fail(r, ERR_NOT_FOUND, "/label", "there is no such label of this task");
        else
            reply_empty(r);
        return;
    }
    t->r = r;
    buf_init(&t->text, BUF_MAX_LABEL);
    arena_defer(r->arena, release, t);
    if (lineage_read(r->arena, res, BLAME_VERSIONS, &t->lineage)) {
        req_fail(r, ERR_INTERNAL, NULL, "a label's row is damaged");
        return;
    }
    t->complete = !t->lineage.cut;
    work_submit(r->ctx->server->work, r->loop, trace, on_traced, t);
}

void label_blame_handler(struct req *r)
{
    int64_t *label = arena_alloc(r->arena, sizeof(*label));
    struct query *q = query_new(r, STMT_label_ancestry, on_ancestry);

    r->user = label;
    if (!req_query_int(r, "label", 0, 1, JSON_INT_MAX, label))
        return;
    query_int(q, r->id_arg[0]);
    if (*label)
        query_int(q, *label);
    else
        query_null(q);
    query_int(q, BLAME_VERSIONS + 1);
    query_run(q);
}
