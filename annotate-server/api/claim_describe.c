/* Owns what a claim shows beside the task: labels, predictions, draft, comments. Never asks for any
 * of it on the plain path of fresh work, which has none. */
#include "annotate-server/api/claim.h"

#include "annotate-server/api/media.h"
#include "annotate-server/auth/media_link.h"
#include "base/log.h"

struct lookup {
    struct db_call call;
    struct claim_run *run;
    struct db_array ord, a, b;
    struct grant **by_ord;
};

static void release(void *arg)
{
    struct lookup *l = arg;

    db_array_release(&l->ord);
    db_array_release(&l->a);
    db_array_release(&l->b);
}

static struct lookup *lookup_new(struct claim_run *run, enum statement s,
    void (*done)(struct db_call *, enum err, const PGresult *))
{
    struct lookup *l = arena_alloc(run->b->arena, sizeof(*l));

    db_call_init(&l->call, s, run->b->key.tenant, done);
    l->run = run;
    l->by_ord = arena_array(run->b->arena, (size_t)run->ngrants + 1, sizeof(*l->by_ord));
    db_array_init(&l->ord, DB_INT4);
    db_array_init(&l->a, DB_INT8);
    db_array_init(&l->b, DB_INT8);
    arena_defer(run->b->arena, release, l);
    return l;
}

static void lookup_add(struct lookup *l, struct grant *g, int64_t a, int64_t b)
{
    l->by_ord[g->ord] = g;
    db_array_int(&l->ord, g->ord);
    db_array_int(&l->a, a);
    db_array_int(&l->b, b);
}

static bool lookup_run(struct lookup *l)
{
    if (l->ord.n == 0)
        return false;
    l->run->pending++;
    db_submit(l->run->ctx->db, &l->call);
    return true;
}

static void contents_read(void *arg)
{
    struct claim_run *run = arg;

    run->then(run);
}

static void looked_up(struct claim_run *run)
{
    if (--run->pending)
        return;
    claim_fit(run);
    if (run->ncontents && !run->err)
        content_read(run->ctx, run->b->arena, run->b->key.tenant, run->contents, run->ncontents,
            contents_read, run);
    else
        run->then(run);
}

static struct str column(struct arena *a, const PGresult *res, int row, int col)
{
    return db_is_null(res, row, col) ? STR("null") : arena_str(a, db_get_str(res, row, col));
}

static void on_labels(struct db_call *call, enum err e, const PGresult *res)
{
    struct lookup *l = container_of(call, struct lookup, call);
    struct claim_run *run = l->run;
    struct arena *a = run->b->arena;
    int n = e ? 0 : PQntuples(res);

    run->err = e ? e : run->err;
    run->contents = content_new(a, (size_t)n);
    for (int i = 0; i < n; i++) {
        struct grant *g = l->by_ord[db_get_int(res, i, 0)];
        struct view *v = arena_alloc(a, sizeof(*v));
        v->id = db_get_int(res, i, 1);
        v->kind = column(a, res, i, 2);
        v->author = column(a, res, i, 3);
        v->model = column(a, res, i, 4);
        v->score = column(a, res, i, 5);
        v->is_head = db_get_bool(res, i, 10);
        v->is_side = db_get_bool(res, i, 11);
        v->content = &run->contents[run->ncontents];
        if (!content_locate(v->content, res, i, 6)) { /* a label all the same, never none */
            log_error("label_read", "label %lld: its row does not say where", (long long)v->id);
            v->content->err = ERR_CORRUPT;
        }
        run->ncontents++;
        v->next = g->views;
        g->views = v;
    }
    looked_up(run);
}

static void on_extras(struct db_call *call, enum err e, const PGresult *res)
{
    struct lookup *l = container_of(call, struct lookup, call);

    l->run->err = e ? e : l->run->err;
    for (int i = 0; !e && i < PQntuples(res); i++) {
        struct grant *g = l->by_ord[db_get_int(res, i, 0)];
        struct str text = column(l->run->b->arena, res, i, 2);
        if (str_is(db_get_str(res, i, 1), "draft"))
            g->draft = text;
        else
            g->comments = text;
    }
    looked_up(l->run);
}

/* Drafts belong to a person: one look-up a claim. */
static void ask_extras(struct claim_run *run)
{
    for (struct batch_item *i = run->b->items; i; i = i->next) {
        struct claim *c = container_of(i, struct claim, item);
        struct lookup *l = NULL;
        for (struct grant *g = c->grants; g; g = g->next) {
            if (!g->again && g->version <= 1 && g->label_seq == 0)
                continue; /* nobody has held it before: no draft, no comments */
            l = l ? l : lookup_new(run, STMT_claim_extras, on_extras);
            lookup_add(l, g, g->id, g->task);
        }
        if (!l)
            continue;
        db_array_bind(&l->ord, &l->call);
        db_array_bind(&l->a, &l->call);
        db_array_bind(&l->b, &l->call);
        db_int(&l->call, run->b->arena, c->r->who.user);
        lookup_run(l);
    }
}

void claim_describe(struct claim_run *run, void (*then)(struct claim_run *run))
{
    struct lookup *labels;

    run->then = then;
    run->pending = 1; /* this function's own */
    labels = lookup_new(run, STMT_label_of_claims, on_labels);
    for (struct grant *g = run->grants; g; g = g->all)
        if (g->label_seq > 0)
            lookup_add(labels, g, g->task, g->head);
    db_array_bind(&labels->ord, &labels->call);
    db_array_bind(&labels->a, &labels->call);
    db_array_bind(&labels->b, &labels->call);
    db_text(&labels->call, run->b->arena, str_of(stage_name((enum stage)run->b->key.extra)));
    lookup_run(labels);
    ask_extras(run);
    looked_up(run);
}

/* ---- printing */

static void print_view(const struct view *v, struct buf *out)
{
    buf_puts(out, "{\"id\":");
    buf_int(out, v->id);
    buf_puts(out, ",\"kind\":");
    buf_json(out, v->kind);
    buf_puts(out, ",\"author\":");
    buf_str(out, v->author);
    buf_puts(out, ",\"model\":");
    if (str_is(v->model, "null"))
        buf_puts(out, "null");
    else
        buf_json(out, v->model);
    buf_puts(out, ",\"score\":");
    buf_str(out, v->score);
    buf_puts(out, ",\"result\":");
    buf_str(out, v->content->err ? STR("null") : buf_view(&v->content->text));
    if (v->content->err) {
        buf_puts(out, ",\"error\":");
        buf_json(out, str_of(err_slug(v->content->err)));
    }
    buf_putc(out, '}');
}

/* To adjudicate: what each slot said, side by side. */
static void print_sides(const struct grant *g, struct buf *out)
{
    buf_puts(out, ",\"labels\":[");
    for (const struct view *v = g->views; v; v = v->next)
        if (v->is_side) {
            print_view(v, out);
            buf_putc(out, ',');
        }
    buf_chop(out, ',');
    buf_putc(out, ']');
}

/* None of the links ends before the lease: what is held already may have a longer one than asked.
 */
static void print_media(const struct grant *g, struct buf *out)
{
    int64_t lease_s = g->again ? LEASE_MAX_S : g->claim->lease_s;

    media_links(g->claim->r, g->data, media_link_end(lease_s), out);
}

static void print_grant(const struct grant *g, struct buf *out)
{
    const struct view *head = NULL;
    bool gold = g->slot > MAX_OVERLAP; /* nothing may tell: no trace of who else had it */

    buf_printf(out,
        "{\"id\":%lld,\"stage\":\"%s\",\"slot\":%lld,\"version\":%lld,\"lease_expires_at\":",
        (long long)g->id, stage_name(g->claim->stage), gold ? 1 : (long long)g->slot,
        (long long)g->version);
    buf_str(out, g->expires);
    buf_printf(out, ",\"task\":{\"id\":%lld,\"data\":", (long long)g->task);
    buf_str(out, g->data);
    buf_puts(out, ",\"media\":");
    print_media(g, out);
    buf_puts(out, ",\"meta\":");
    buf_str(out, g->meta);
    buf_puts(out, ",\"state\":");
    buf_json(out, g->state);
    buf_puts(out, ",\"version\":");
    buf_int(out, gold ? 1 : g->task_version);
    buf_puts(out, "},\"predictions\":[");
    for (const struct view *v = g->views; v; v = v->next) {
        head = v->is_head ? v : head;
        if (str_is(v->kind, "prelabel")) {
            print_view(v, out);
            buf_putc(out, ',');
        }
    }
    buf_chop(out, ',');
    buf_puts(out, "],\"label\":");
    if (head)
        print_view(head, out);
    else
        buf_puts(out, "null");
    print_sides(g, out);
    buf_puts(out, ",\"draft\":");
    buf_str(out, g->draft.p ? g->draft : STR("null"));
    buf_puts(out, ",\"comments\":");
    buf_str(out, g->comments.p && !gold ? g->comments : STR("[]"));
    buf_putc(out, '}');
}

void claim_print(const struct claim *c, struct buf *out)
{
    buf_puts(out, "{\"assignments\":[");
    for (const struct grant *g = c->grants; g; g = g->next) {
        print_grant(g, out);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_putc(out, ']');
    if (c->capped)
        buf_puts(out, ",\"capped\":true");
    if (c->standing == STANDING_PAUSED)
        buf_puts(out, ",\"paused\":true");
    if (c->unfinished && !c->granted && !c->capped && !c->standing)
        buf_puts(out, ",\"unfinished\":true");
    buf_putc(out, '}');
}
