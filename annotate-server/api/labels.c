/* Owns reading label versions. Never changes one: they are immutable. */
#include "annotate-server/api/label_row.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/tasks.h"

static void on_labels(struct req *r, const PGresult *res)
{
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"labels\":[");
    for (int i = 0; i < PQntuples(res); i++) {
        buf_putc(&out, '{');
        label_row_put(&out, res, i);
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
        req_fail(o->r, o->content->err, NULL,
            o->content->err == ERR_GONE ? "the label was erased"
                                        : "the label's content cannot be read");
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

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such label");
        return;
    }
    o->r = r;
    buf_init(&o->out, BUF_MAX_REPLY);
    arena_defer(r->arena, release, o);
    buf_putc(&o->out, '{');
    label_row_put(&o->out, res, 0);
    o->content = content_new(r->arena, 1);
    if (!label_row_locate(o->content, res, 0)) {
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
