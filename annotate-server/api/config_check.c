/* Owns the walk that holds labels and drafts against a new label config. Never changes anything,
 * and never holds more than a page (I9). */
#include "annotate-server/api/config_check.h"

#include <stdio.h>

#include "annotate-server/api/query.h"
#include "base/clock.h"
#include "core/json_tree.h"
#include "core/label_doc.h"
#include "storage/pack.h"

enum { PAGE_TASKS = 200, BUDGET_US = 2000000 };

/* A label or draft of a page. */
struct item {
    int64_t task, off, bytes;
    struct sha256 sha256;
    struct pack_id pack;
    bool partial;
    struct str draft, data; /* p NULL: it is a label; the data is not wanted */
};

/* In an arena of its own, so that memory does not grow with the pages. */
struct page {
    struct arena *arena;
    struct config_check *check;
    struct item *items;
    size_t n;
};

/* Whether a label can only be judged with the task at hand: offsets lie within a text. */
static bool needs_data(const struct label_config *c)
{
    for (const struct label_object *o = c->objects; o; o = o->next)
        if (str_is(o->type, "Text"))
            return true;
    return false;
}

/* ---- on a work thread: nobody else looks at the check meanwhile */

/* Reasons are alike when they differ in the item's number and id only. */
static const char *reason_of(const char *why)
{
    const char *item_end = strstr(why, "\"): ");

    return str_starts(str_of(why), STR("item ")) && item_end ? item_end + 4 : why;
}

static void count_reason(struct config_check *c, const char *why)
{
    size_t i = 0;

    why = reason_of(why);
    while (i < c->nreasons && strcmp(c->reasons[i].text, why) != 0)
        i++;
    if (i == CHECK_REASONS) {
        i--;
        snprintf(c->reasons[i].text, CHECK_REASON_SIZE, "other reasons");
    } else if (i == c->nreasons) {
        snprintf(c->reasons[i].text, CHECK_REASON_SIZE, "%s", why);
        c->nreasons++;
    }
    c->reasons[i].n++;
}

static void count_broken(struct config_check *c, int64_t task, const char *why)
{
    c->broken++;
    count_reason(c, why);
    if (c->ntasks < CHECK_TASKS && (c->ntasks == 0 || c->tasks[c->ntasks - 1] != task))
        c->tasks[c->ntasks++] = task;
}

/* NULL: it fits. Else why not, in *problem or as a fixed text. */
static const char *judge(const struct config_check *c, const struct item *item, struct str text,
    struct label_problem *problem)
{
    struct json_object *result = NULL, *data = NULL;
    struct label_doc_info info;
    const char *why = "the stored document is no JSON";
    struct buf canon;

    buf_init(&canon, BUF_MAX_LABEL);
    if (!json_tree_parse(text, JSON_DEPTH_MAX, &result, NULL)) {
        if (item->data.p)
            data = json_tokener_parse(item->data.p);
        enum err e = label_doc_canon(
            c->config, result, data, item->partial ? LABEL_DOC_PARTIAL : 0, &canon, &info, problem);
        why = !e ? NULL : e == ERR_LABEL_INVALID ? problem->why : err_title(e);
    }
    json_object_put(result);
    json_object_put(data);
    buf_release(&canon);
    return why;
}

static const char *judge_label(const struct config_check *c, const struct item *item,
    struct buf *text, struct label_problem *problem)
{
    buf_clear(text);
    enum err e = pack_get(&c->r->ctx->server->blobs, c->r->who.tenant, item->pack, item->off,
        item->bytes, item->sha256, text);
    return e ? err_title(e) : judge(c, item, buf_view(text), problem);
}

static void judge_page(void *arg)
{
    const struct page *p = arg;
    struct config_check *c = p->check;
    struct label_problem problem;
    struct buf text;

    buf_init(&text, BUF_MAX_LABEL);
    for (size_t i = 0; i < p->n; i++) {
        const struct item *item = &p->items[i];
        const char *why = item->draft.p ? judge(c, item, item->draft, &problem)
                                        : judge_label(c, item, &text, &problem);
        *(item->draft.p ? &c->drafts : &c->labels) += 1;
        if (why)
            count_broken(c, item->task, why);
    }
    buf_release(&text);
}

/* ---- page by page */

static void next_page(struct config_check *c);

static void judged(void *arg)
{
    struct page *p = arg;
    struct config_check *c = p->check;

    arena_free(p->arena);
    if (c->end || req_gone(c->r) || clock_mono_us() > c->deadline_us)
        c->done(c->r, c);
    else
        next_page(c);
}

static struct str copy(struct arena *a, const PGresult *res, int row, int col)
{
    return db_is_null(res, row, col) ? (struct str){NULL, 0}
                                     : arena_str(a, db_get_str(res, row, col));
}

/* A row of config_page. False: the task has neither label nor draft. */
static bool read_item(struct page *p, const PGresult *res, int row, struct item *item)
{
    *item = (struct item){
        .task = db_get_int(res, row, 0),
        .bytes = db_get_int(res, row, 2),
        .off = db_get_int(res, row, 4),
        .partial = db_get_bool(res, row, 5),
        .data = copy(p->arena, res, row, 6),
        .draft = copy(p->arena, res, row, 7),
    };
    return item->draft.p || (db_get_bytes(res, row, 1, item->sha256.b, SHA256_LEN) &&
                                pack_id_parse(db_get_str(res, row, 3), &item->pack));
}

static void on_page(struct req *r, const PGresult *res)
{
    struct config_check *c = r->user;
    struct arena *arena = arena_new();
    struct page *p = arena_alloc(arena, sizeof(*p));
    int rows = PQntuples(res), tasks = 0;
    int64_t last = c->after;

    *p = (struct page){arena, c, arena_array(arena, (size_t)rows + 1, sizeof(struct item)), 0};
    for (int row = 0; row < rows; row++) {
        p->n += read_item(p, res, row, &p->items[p->n]);
        tasks += db_get_int(res, row, 0) != last;
        last = db_get_int(res, row, 0);
    }
    c->after = last;
    c->end = tasks < PAGE_TASKS;
    work_submit(r->ctx->server->work, r->loop, judge_page, judged, p);
}

static void next_page(struct config_check *c)
{
    struct req *r = c->r;

    r->user = c;
    struct query *q = query_new(r, STMT_config_page, on_page);
    query_int(q, r->id_arg[0]);
    query_int(q, c->after);
    query_int(q, PAGE_TASKS);
    query_bool(q, needs_data(c->config));
    query_read(q);
}

void config_check_run(struct config_check *c)
{
    c->deadline_us = clock_mono_us() + BUDGET_US;
    next_page(c);
}

void config_check_print(const struct config_check *c, struct buf *out)
{
    buf_printf(out, "{\"labels\":%lld,\"drafts\":%lld,\"broken\":%lld,\"reasons\":[",
        (long long)c->labels, (long long)c->drafts, (long long)c->broken);
    for (size_t i = 0; i < c->nreasons; i++) {
        buf_puts(out, i ? ",{\"reason\":" : "{\"reason\":");
        buf_json(out, str_of(c->reasons[i].text));
        buf_printf(out, ",\"count\":%lld}", (long long)c->reasons[i].n);
    }
    buf_puts(out, "],\"tasks\":[");
    for (size_t i = 0; i < c->ntasks; i++)
        buf_printf(out, "%s%lld", i ? "," : "", (long long)c->tasks[i]);
    if (c->end)
        buf_puts(out, "],\"next\":null}");
    else
        buf_printf(out, "],\"next\":%lld}", (long long)c->after);
}
