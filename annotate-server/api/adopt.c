/* Owns taking a version of a label in again: adopted late work, a merge of it with the label, an
 * old version. Never overwrites: what is taken in becomes a new version, under the task's version
 * (I2), and is reviewed by somebody else. */
#include "annotate-server/api/content.h"
#include "annotate-server/api/late.h"
#include "annotate-server/api/park.h"
#include "annotate-server/api/query.h"
#include "annotate-server/project.h"
#include "base/json_scan.h"
#include "core/json_tree.h"
#include "core/label_doc.h"
#include "core/label_merge.h"

enum how { ADOPT, MERGE, RESTORE };

/* Columns of adopt_facts. */
enum {
    COL_STATE,
    COL_VERSION,
    COL_OVERLAP,
    COL_REWORK,
    COL_SKIPS,
    COL_HEAD_AUTHOR,
    COL_ANNOTATORS,
    COL_REVIEWER,
    COL_HANDS,
    COL_KIND,
    COL_AUTHOR,
    COL_SETTLED,
    COL_SOURCE,
    COL_HEAD = COL_SOURCE + 4,
    COL_BASE = COL_HEAD + 4,
    COL_HEAD_ID = COL_BASE + 4,
};

struct adoption {
    enum how how;
    int64_t source;
    struct task_facts facts;
    struct decision decision;
    struct merged *merged; /* NULL: the source's own bytes */
};

struct merged { /* the source and the label, joined on a work thread */
    struct req *r;
    struct content *source, *head, *base; /* base NULL: both began from nothing */
    struct buf joined, doc, conflicts;    /* doc: joined, canonical */
    size_t nconflicts, regions;
    struct sha256 sha256;
    struct pack_id pack;
    struct label_problem problem;
    enum err err;
};

static char *list_people(struct arena *a, const int64_t *people, int n)
{
    struct buf b;
    char *text;

    buf_init(&b, BUF_MAX_LINE);
    for (int i = 0; i < n; i++)
        buf_printf(&b, "%c%lld", i ? ',' : '{', (long long)people[i]);
    text = arena_printf(a, "%.*s}", STR_FMT(n ? buf_view(&b) : STR("{")));
    buf_release(&b);
    return text;
}

/* ---- the write */

static void on_written(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_VERSION, NULL, "the task has moved on to another version");
        return;
    }
    park_wake(r->ctx->server, r->who.tenant, r->project->id, STAGE_REVIEW);
    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"task\":{\"id\":");
    put_int(&out, res, 0, 0);
    buf_puts(&out, ",\"state\":");
    put_str(&out, res, 0, 1);
    buf_puts(&out, ",\"version\":");
    put_int(&out, res, 0, 2);
    buf_puts(&out, "},\"label\":{\"id\":");
    put_int(&out, res, 0, 3);
    buf_puts(&out, ",\"seq\":");
    put_int(&out, res, 0, 4);
    buf_puts(&out, ",\"sha256\":");
    put_hex(&out, res, 0, 5);
    buf_puts(&out, "}}");
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

/* Where the bytes lie: NULLs where the source's lie. */
static void put_place(struct query *q, const struct merged *m)
{
    char uuid[37];

    if (!m) {
        for (int i = 0; i < 5; i++)
            query_null(q);
        return;
    }
    pack_id_print(m->pack, uuid);
    query_text(q, str_of(uuid));
    query_int(q, (int64_t)m->doc.n);
    query_bytes(q, m->sha256.b, SHA256_LEN);
    query_int(q, (int64_t)m->regions);
    query_int(q, m->r->project->config_version);
}

static void write_adoption(struct req *r, const struct adoption *a)
{
    struct query *q = query_new(r, STMT_label_adopt, on_written);
    const struct task_facts *f = &a->facts;

    query_int(q, a->source);
    query_int(q, r->version);
    query_text(q, str_of(task_state_name(f->state)));
    query_int(q, r->who.user);
    query_text(q, str_of(list_people(r->arena, a->decision.exclude, a->decision.nexclude)));
    query_text(q, str_of(list_people(r->arena, f->hands, f->nhands)));
    query_text(q, a->merged ? STR("merge") : STR("restore"));
    put_place(q, a->merged);
    query_run(q);
}

/* ---- the merge */

static void release_merged(void *arg)
{
    struct merged *m = arg;

    buf_release(&m->joined);
    buf_release(&m->doc);
    buf_release(&m->conflicts);
}

static enum err check_joined(struct merged *m)
{
    struct json_object *result = NULL;
    struct label_doc_info info = {0};
    enum err e = json_tree_parse(buf_view(&m->joined), JSON_DEPTH_MAX, &result, NULL);

    if (!e)
        e = label_doc_canon(m->r->project->config, result, NULL, 0, &m->doc, &info, &m->problem);
    json_object_put(result);
    m->regions = info.regions;
    return e;
}

/* On a work thread. A merge without conflicts is stored here, before its row is written (I6). */
static void join(void *arg)
{
    struct merged *m = arg;
    struct str base = m->base ? buf_view(&m->base->text) : STR("[]");

    m->err = label_merge(base, buf_view(&m->head->text), buf_view(&m->source->text), &m->joined,
        &m->conflicts, &m->nconflicts);
    if (m->err || m->nconflicts)
        return;
    m->err = check_joined(m);
    if (m->err)
        return;
    m->sha256 = sha256_of(buf_view(&m->doc));
    if (sha256_eq(m->sha256, m->head->sha256))
        return; /* on_joined says so */
    struct pack_item item = {.doc = buf_view(&m->doc)};
    m->err = pack_put(&m->r->ctx->server->blobs, m->r->who.tenant, &item, 1, &m->pack);
}

static void on_joined(void *arg)
{
    struct merged *m = arg;
    struct req *r = m->r;

    if (m->nconflicts && !m->err) {
        char *extra =
            arena_printf(r->arena, "\"conflicts\":%.*s", STR_FMT(buf_view(&m->conflicts)));
        req_fail_extra(r, ERR_CONFLICT, NULL, extra,
            "the two versions contradict each other in %zu places", m->nconflicts);
    } else if (m->err == ERR_LABEL_INVALID) {
        req_fail(r, ERR_CONFLICT, NULL, "joined, the two versions are no label: %s: %s",
            m->problem.pointer, m->problem.why);
    } else if (m->err) {
        req_fail(r, m->err, NULL, "%s", err_title(m->err));
    } else if (sha256_eq(m->sha256, m->head->sha256)) {
        req_fail(r, ERR_CONFLICT, NULL, "the task's label has all of it already");
    } else {
        write_adoption(r, r->user);
    }
}

static void on_contents(void *arg)
{
    struct merged *m = arg;
    struct req *r = m->r;

    if (m->source->err == ERR_GONE || m->head->err == ERR_GONE ||
        (m->base && m->base->err == ERR_GONE))
        req_fail(r, ERR_GONE, NULL, "a version was erased");
    else if (m->source->err || m->head->err || (m->base && m->base->err))
        req_fail(r, ERR_CORRUPT, NULL, "the content of a version cannot be read");
    else
        work_submit(r->ctx->server->work, r->loop, join, on_joined, m);
}

static void merge(struct req *r, struct adoption *a, const PGresult *res)
{
    struct merged *m = arena_alloc(r->arena, sizeof(*m));
    struct content *contents = content_new(r->arena, 3);
    bool based = !db_is_null(res, 0, COL_BASE);

    m->r = r;
    m->source = &contents[0];
    m->head = &contents[1];
    m->base = based ? &contents[2] : NULL;
    buf_init(&m->joined, BUF_MAX_LABEL);
    buf_init(&m->doc, BUF_MAX_LABEL);
    buf_init(&m->conflicts, BUF_MAX_REPLY);
    arena_defer(r->arena, release_merged, m);
    a->merged = m;
    if (!content_locate(m->source, res, 0, COL_SOURCE) ||
        !content_locate(m->head, res, 0, COL_HEAD) ||
        (based && !content_locate(m->base, res, 0, COL_BASE))) {
        req_fail(r, ERR_INTERNAL, NULL, "a label's row is damaged");
        return;
    }
    content_read(r->ctx, r->arena, r->who.tenant, contents, based ? 3 : 2, on_contents, m);
}

/* ---- the decision */

static bool add_hand(struct task_facts *f, int64_t who)
{
    if (who == 0)
        return true;
    for (int i = 0; i < f->nhands; i++)
        if (f->hands[i] == who)
            return true;
    if (f->nhands == MAX_HANDS)
        return false;
    f->hands[f->nhands++] = who;
    return true;
}

static void read_facts(struct req *r, struct task_facts *f, const PGresult *res)
{
    int64_t *people;
    size_t n = db_get_ints(res, 0, COL_ANNOTATORS, r->arena, &people);

    *f = (struct task_facts){.salt = r->project->salt,
        .overlap = (int)db_get_int(res, 0, COL_OVERLAP),
        .rework_count = (int)db_get_int(res, 0, COL_REWORK),
        .skip_count = (int)db_get_int(res, 0, COL_SKIPS),
        .agreement = 1,
        .score = -1,
        .reviewer = db_get_int(res, 0, COL_REVIEWER),
        .head_author = db_get_int(res, 0, COL_HEAD_AUTHOR),
        .actor = r->who.user};
    BUG_ON(!task_state_parse(db_get_str(res, 0, COL_STATE), &f->state));
    f->has_label = !db_is_null(res, 0, COL_HEAD_ID);
    for (size_t i = 0; i < n && i < MAX_OVERLAP; i++)
        f->annotators[f->nannotators++] = people[i];
    n = db_get_ints(res, 0, COL_HANDS, r->arena, &people);
    for (size_t i = 0; i < n && i < MAX_HANDS; i++)
        f->hands[f->nhands++] = people[i];
}

static bool source_erased(const PGresult *res)
{
    struct pack_id pack;

    return pack_id_parse(db_get_str(res, 0, COL_SOURCE + 2), &pack) && pack_id_is_nil(pack);
}

/* NULL: it may be taken in; else why not. */
static const char *refusal(const struct adoption *a, const PGresult *res)
{
    bool late = str_is(db_get_str(res, 0, COL_KIND), "late");

    if (a->how != RESTORE && !late)
        return "this version did not come too late; restore-label takes an old version in";
    if (late && !db_is_null(res, 0, COL_SETTLED) &&
        !str_is(db_get_str(res, 0, COL_SETTLED), "dismissed") && a->how != RESTORE)
        return "this late work has been taken in already";
    if (a->how == MERGE && db_is_null(res, 0, COL_HEAD_ID))
        return "the task has no label to merge it with; adopt it";
    if (str_eq(db_get_str(res, 0, COL_SOURCE), db_get_str(res, 0, COL_HEAD)))
        return "the task's label says the same already";
    return NULL;
}

static void on_facts(struct req *r, const PGresult *res)
{
    struct adoption *a = r->user;
    struct task_facts *f = &a->facts;
    const char *why;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such label of this task");
        return;
    }
    if (db_get_int(res, 0, COL_VERSION) != r->version) {
        req_fail(r, ERR_VERSION, NULL, "the task has moved on to another version");
        return;
    }
    if (source_erased(res)) {
        req_fail(r, ERR_GONE, NULL, "the version was erased");
        return;
    }
    why = refusal(a, res);
    read_facts(r, f, res);
    if (!why && (!add_hand(f, db_get_int(res, 0, COL_AUTHOR)) ||
                    (a->how == MERGE && !add_hand(f, f->head_author))))
        why = "too many people had a hand in this label already";
    if (!why && workflow_decide(&r->project->workflow, f, ACTION_ADOPT, &a->decision))
        why = arena_printf(r->arena, "a task that is %s takes no other version in%s",
            task_state_name(f->state),
            f->state == TASK_ARCHIVED ? "; restore it first" : " before it is handed in");
    if (why)
        req_fail(r, ERR_CONFLICT, NULL, "%s", why);
    else if (a->how == MERGE)
        merge(r, a, res);
    else
        write_adoption(r, a);
}

static void start(struct req *r, enum how how, int64_t task, int64_t source)
{
    struct adoption *a = arena_alloc(r->arena, sizeof(*a));
    struct query *q = query_new(r, STMT_adopt_facts, on_facts);

    a->how = how;
    a->source = source;
    r->user = a;
    if (task)
        query_int(q, task);
    else
        query_null(q);
    query_int(q, source);
    query_read(q);
}

void label_adopt_handler(struct req *r)
{
    start(r, ADOPT, 0, r->id_arg[0]);
}

void label_merge_handler(struct req *r)
{
    start(r, MERGE, 0, r->id_arg[0]);
}

void label_restore_handler(struct req *r)
{
    static const char *const members[] = {"label"};
    int64_t label = 0;

    if (body_only(r, members, 1) && body_int(r, "label", true, 1, JSON_INT_MAX, &label))
        start(r, RESTORE, r->id_arg[0], label);
}
