/* Owns the difference of two versions of a task's label, found off the loop. Never changes one. */
#include "annotate-server/api/label_row.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/tasks.h"
#include "core/label_diff.h"

struct comparison {
    struct req *r;
    struct content *contents; /* before, after */
    struct buf out;
    enum err err;
};

static void release(void *arg)
{
    struct comparison *c = arg;

    buf_release(&c->out);
}

static void compare(void *arg)
{
    struct comparison *c = arg;

    c->err = label_diff(buf_view(&c->contents[0].text), buf_view(&c->contents[1].text), &c->out);
}

static void on_compared(void *arg)
{
    struct comparison *c = arg;

    if (c->err) {
        req_fail(c->r, c->err == ERR_INVALID ? ERR_CORRUPT : c->err, NULL,
            "the difference cannot be told: %s", err_title(c->err));
        return;
    }
    buf_putc(&c->out, '}');
    req_reply_json(c->r, 200, &c->out);
}

static void on_contents(void *arg)
{
    struct comparison *c = arg;

    if (c->contents[0].err == ERR_GONE || c->contents[1].err == ERR_GONE)
        req_fail(c->r, ERR_GONE, NULL, "a version was erased");
    else if (c->contents[0].err || c->contents[1].err)
        req_fail(c->r, ERR_CORRUPT, NULL, "the content of a version cannot be read");
    else
        work_submit(c->r->ctx->server->work, c->r->loop, compare, on_compared, c);
}

static void on_pair(struct req *r, const PGresult *res)
{
    static const char *const sides[] = {"{\"before\":{", "},\"after\":{"};
    struct comparison *c = arena_alloc(r->arena, sizeof(*c));

    if (PQntuples(res) != 2) {
        req_fail(r, ERR_NOT_FOUND, NULL, "the two are not versions of one task's label");
        return;
    }
    c->r = r;
    c->contents = content_new(r->arena, 2);
    buf_init(&c->out, BUF_MAX_REPLY);
    arena_defer(r->arena, release, c);
    for (int i = 0; i < 2; i++) {
        buf_puts(&c->out, sides[i]);
        label_row_put(&c->out, res, i);
        if (!label_row_locate(&c->contents[i], res, i)) {
            req_fail(r, ERR_INTERNAL, NULL, "a label's row is damaged");
            return;
        }
    }
    buf_puts(&c->out, "},\"diff\":");
    content_read(r->ctx, r->arena, r->who.tenant, c->contents, 2, on_contents, c);
}

void label_diff_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_label_pair, on_pair);

    query_int(q, r->id_arg[0]);
    query_int(q, r->id_arg[1]);
    query_run(q);
}
