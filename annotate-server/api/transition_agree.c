/* Owns comparing the submissions of a task's slots, and what they say together: the merged
 * document, checked and stored before its row is written (I6). Never decides what comes of it. */
#include "annotate-server/api/transition.h"

#include "base/fault.h"
#include "base/log.h"
#include "core/agreement.h"
#include "core/json_tree.h"
#include "core/label_doc.h"

struct compare {
    struct db_call call;
    struct transition_run *run;
    struct db_array ord, task;
    struct content *contents;
    size_t n;
    void (*then)(struct transition_run *run);
};

static void release_compare(void *arg)
{
    struct compare *c = arg;

    db_array_release(&c->ord);
    db_array_release(&c->task);
}

/* All submissions of a task by slot, this one at its own slot's place: who came last makes no
 * difference to what they say together. */
struct submissions {
    struct str docs[AGREEMENT_DOCS];
    struct label_place places[AGREEMENT_DOCS];
    size_t n;
};

static void add_own(struct submissions *s, const struct transition *t)
{
    const struct labelled *l = t->label;

    s->docs[s->n] = buf_view(&l->doc);
    s->places[s->n++] =
        (struct label_place){l->pack, l->off, (int64_t)l->doc.n, l->sha256, l->regions};
}

/* False when one of them cannot be read. */
static bool gather(const struct transition *t, struct submissions *s)
{
    bool own = false;

    s->n = 0;
    for (size_t i = 0; i < t->nsiblings; i++) {
        const struct content *c = t->siblings[i].content;
        if (c->err)
            return false;
        if (!own && t->siblings[i].assignment > t->assignment) {
            add_own(s, t);
            own = true;
        }
        s->docs[s->n] = buf_view(&c->text);
        s->places[s->n++] =
            (struct label_place){c->pack, c->off, c->bytes, c->sha256, t->siblings[i].regions};
    }
    if (!own)
        add_own(s, t);
    return true;
}

/* ---- the merged document */

static void release_buf(void *arg)
{
    buf_release(arg);
}

static struct buf *new_doc(struct arena *a)
{
    struct buf *b = arena_alloc(a, sizeof(*b));

    buf_init(b, BUF_MAX_LABEL);
    arena_defer(a, release_buf, b);
    return b;
}

/* What they say together as a valid label document. The metrics know nothing of the label config,
 * so it may be refused there: then merge_refused says why. */
static enum err merge_documents(struct transition *t, const struct submissions *s, size_t majority,
    struct arena *a, struct buf *out, size_t *regions)
{
    struct buf *joined = new_doc(a);
    struct json_object *result = NULL;
    struct label_doc_info info = {0};
    struct label_problem problem = {.pointer = ""};
    enum err e = agreement_merge(s->docs, s->n, t->project->workflow.metric, majority, joined);

    if (!e)
        e = json_tree_parse(buf_view(joined), JSON_DEPTH_MAX, &result, NULL);
    if (!e)
        e = label_doc_canon(t->project->config, result, NULL, 0, out, &info, &problem);
    json_object_put(result);
    *regions = info.regions;
    if (e == ERR_LABEL_INVALID)
        t->merge_refused = str_of(arena_printf(a, "%s: %s", problem.pointer, problem.why));
    else if (e)
        t->merge_refused = str_of(err_title(e));
    return e;
}

/* Sets where the merge's bytes lie: most often somebody has said just that, and they are there
 * already. What cannot be merged is the version that speaks for the most, as it is. */
static void merge(
    struct transition *t, const struct submissions *s, size_t majority, struct arena *a)
{
    struct buf *doc = new_doc(a);
    size_t regions;

    t->merge = s->places[majority];
    t->merge_doc = NULL;
    t->merge_refused = (struct str){NULL, 0};
    if (merge_documents(t, s, majority, a, doc, &regions))
        return;
    struct sha256 sha256 = sha256_of(buf_view(doc));
    for (size_t i = 0; i < s->n; i++)
        if (sha256_eq(sha256, s->places[i].sha256)) {
            t->merge = s->places[i];
            return;
        }
    t->merge = (struct label_place){.bytes = (int64_t)doc->n, .sha256 = sha256, .regions = regions};
    t->merge_doc = doc;
}

/* What cannot be read or compared does not agree: a reviewer looks at it. */
static void agree(struct transition *t, struct arena *a)
{
    const struct workflow *w = &t->project->workflow;
    struct submissions *s = arena_alloc(a, sizeof(*s));
    struct agreement found;

    t->facts.agreement = 0;
    if (!gather(t, s) || w->metric->measure(s->docs, s->n, &found))
        return;
    t->facts.agreement = found.score;
    if (found.score >= w->agreement)
        merge(t, s, found.majority, a);
}

/* The new documents of a batch's merges are one pack of their own: the batch's was on its way
 * before anybody knew what agrees. */
static enum err pack_merges(struct transition_run *run)
{
    struct pack_item *items = arena_array(run->b->arena, (size_t)run->n, sizeof(*items));
    size_t n = 0;
    enum err e;

    run->merge_bytes = 0;
    for (int i = 0; i < run->n; i++) {
        if (!run->items[i]->merge_doc)
            continue;
        items[n++].doc = buf_view(run->items[i]->merge_doc);
        run->merge_bytes += run->items[i]->merge.bytes;
    }
    run->nmerges = n;
    if (n == 0)
        return ERR_OK;
    e = pack_put(&run->ctx->server->blobs, run->b->key.tenant, items, n, &run->merge_pack);
    n = 0;
    for (int i = 0; i < run->n; i++)
        if (run->items[i]->merge_doc) {
            run->items[i]->merge.pack = run->merge_pack;
            run->items[i]->merge.off = items[n++].off;
        }
    return e ? e : FAULT("merge.packed");
}

/* On a work thread: comparing what nine people drew can take a while. */
static void agree_all(void *arg)
{
    struct compare *c = arg;
    struct transition_run *run = c->run;

    for (int i = 0; i < run->n; i++)
        if (run->items[i]->fate == TRANSITION_APPLY && transition_needs_siblings(run->items[i]))
            agree(run->items[i], run->b->arena);
    run->pack_err = pack_merges(run);
    if (run->pack_err)
        log_error("pack", "%zu merged documents: %s", run->nmerges, err_title(run->pack_err));
}

/* ---- reading them */

static void agreed(void *arg)
{
    struct compare *c = arg;

    c->then(c->run);
}

static void compared(void *arg)
{
    struct compare *c = arg;

    work_submit(c->run->ctx->server->work, c->run->ctx->loop, agree_all, agreed, c);
}

/* Columns of label_siblings. */
enum { COL_ORD, COL_ID, COL_AUTHOR, COL_REGIONS, COL_CONTENT, COL_ASSIGNMENT = COL_CONTENT + 4 };

static void on_siblings(struct db_call *call, enum err e, const PGresult *res)
{
    struct compare *c = container_of(call, struct compare, call);
    struct transition_run *run = c->run;

    if (e) {
        run->pack_err = e;
        c->then(run);
        return;
    }
    c->contents = content_new(run->b->arena, (size_t)PQntuples(res));
    for (int row = 0; row < PQntuples(res); row++) {
        struct transition *t = run->items[db_get_int(res, row, COL_ORD)];
        struct sibling *s;
        if (!t->siblings)
            t->siblings = arena_array(run->b->arena, MAX_OVERLAP, sizeof(*s));
        if (t->nsiblings == MAX_OVERLAP ||
            !content_locate(&c->contents[c->n], res, row, COL_CONTENT))
            continue;
        s = &t->siblings[t->nsiblings++];
        s->id = db_get_int(res, row, COL_ID);
        s->assignment = db_get_int(res, row, COL_ASSIGNMENT);
        s->regions = (size_t)db_get_int(res, row, COL_REGIONS);
        s->content = &c->contents[c->n++];
    }
    content_read(run->ctx, run->b->arena, run->b->key.tenant, c->contents, c->n, compared, c);
}

void transition_compare(struct transition_run *run, void (*then)(struct transition_run *run))
{
    struct compare *c = arena_alloc(run->b->arena, sizeof(*c));

    c->run = run;
    c->then = then;
    db_call_init(&c->call, STMT_label_siblings, run->b->key.tenant, on_siblings);
    db_array_init(&c->ord, DB_INT4);
    db_array_init(&c->task, DB_INT8);
    arena_defer(run->b->arena, release_compare, c);
    for (int i = 0; i < run->n; i++) {
        struct transition *t = run->items[i];
        t->siblings = NULL; /* those of an earlier try died with its batch */
        t->nsiblings = 0;
        t->merge_doc = NULL;
        if (t->fate != TRANSITION_APPLY || !transition_needs_siblings(t))
            continue;
        db_array_int(&c->ord, i);
        db_array_int(&c->task, t->task);
    }
    if (c->ord.n == 0) {
        then(run);
        return;
    }
    db_array_bind(&c->ord, &c->call);
    db_array_bind(&c->task, &c->call);
    db_submit(run->ctx->db, &c->call);
}
