/* Owns reading label versions. Never changes one: they are immutable. */
#include "annotate-server/api/content.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/tasks.h"

/* Columns of label_list and label_get, in order. */
static const struct {
    const char *name;
    void (*put)(struct buf *out, const PGresult *res, int row, int col);
} columns[] = {{"id", put_int}, {"task", put_int}, {"seq", put_int}, {"stage", put_str},
    {"kind", put_str}, {"author", put_int}, {"model", put_str}, {"score", put_int},
    {"parent", put_int}, {"sha256", put_hex}, {"bytes", put_int}, {"regions", put_int},
    {"lead_time", put_int}, {"created_at", put_raw}, {"merged_from", put_raw}};

static void put_members(struct buf *out, const PGresult *res, int row)
{
    for (int c = 0; c < (int)ARRAY_LEN(columns); c++) {
        buf_printf(out, "%s\"%s\":", c ? "," : "", columns[c].name);
        columns[c].put(out, res, row, c);
    }
}

static void on_labels(struct req *r, const PGresult *res)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"labels\":[");
    for (int i = 0; i < PQntuples(res); i++) {
        buf_putc(&out, '{');
        put_members(&out, res, i);
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "]}");
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void label_list_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_label_list, on_labels);

    query_int(q, r->id_arg[0]);
    query_run(q);
}

struct one {
    struct req *r;
    struct buf out;
    struct content *content;
};

static void release(void *arg)
{
    struct one *o = arg;

    buf_release(&o->out);
}

static void on_content(void *arg)
{
    struct one *o = arg;

    if (o->content->err) {
        req_fail(o->r, o->content->err, NULL, "the label's content cannot be read");
        return;
    }
    buf_puts(&o->out, ",\"result\":");
    buf_str(&o->out, buf_view(&o->content->text));
    buf_putc(&o->out, '}');
    req_reply_json(o->r, 200, &o->out);
}

static void on_label(struct req *r, const PGresult *res)
{
    struct one *o = arena_alloc(r->arena, sizeof(*o));
    enum { PACK_COLUMN = ARRAY_LEN(columns) };

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such label");
        return;
    }
    o->r = r;
    buf_init(&o->out, BUF_MAX_REPLY);
    arena_defer(r->arena, release, o);
    buf_putc(&o->out, '{');
    put_members(&o->out, res, 0);
    o->content = content_new(r->arena, 1);
    o->content->bytes = db_get_int(res, 0, 10);
    o->content->off = db_get_int(res, 0, PACK_COLUMN + 1);
    if (!db_get_bytes(res, 0, 9, o->content->sha256.b, SHA256_LEN) ||
        !pack_id_parse(db_get_str(res, 0, PACK_COLUMN), &o->content->pack)) {
        req_fail(r, ERR_INTERNAL, NULL, "the label's row is damaged");
        return;
    }
    content_read(r->ctx, r->arena, r->who.tenant, o->content, 1, on_content, o);
}

void label_get_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_label_get, on_label);

    query_int(q, r->id_arg[0]);
    query_run(q);
}
