/* Owns the requests that hand one assignment in. Never touches rows itself: transitions do. */
#include "annotate-server/api/work.h"

#include "annotate-server/api/comments.h"
#include "annotate-server/api/gold.h"
#include "annotate-server/api/idempotency.h"
#include "annotate-server/api/label_body.h"
#include "annotate-server/api/park.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/queue_head.h"
#include "annotate-server/http/route.h"

enum { COMMENTS_MAX = 100, REASON_MAX = 1000 };
enum { LEAD_TIME_MAX_S = 10000000 };

void work_answer(const struct transition *t, struct buf *out)
{
    enum task_state state = t->to;
    int64_t version = t->task_version;
    int seq = t->label_seq;

    if (t->facts.gold && t->stage == STAGE_ANNOTATE)
        gold_disguise(t, &state, &version, &seq);
    buf_printf(out,
        "{\"task\":{\"id\":%lld,\"state\":\"%s\",\"version\":%lld},\"label\":", (long long)t->task,
        task_state_name(state), (long long)version);
    if (t->label && t->label_id) {
        buf_printf(out, "{\"id\":%lld,\"seq\":%d,\"sha256\":\"", (long long)t->label_id, seq);
        buf_hex(out, t->label->sha256.b, SHA256_LEN);
        buf_puts(out, "\"}");
    } else {
        buf_puts(out, "null");
    }
    buf_putc(out, '}');
}

/* What was typed is kept (I1): a label as a late version, comments as comments. */
static void refuse(const struct transition *t, bool kept)
{
    struct req *r = t->user;

    if (t->late_label) {
        char *extra = arena_printf(r->arena, "\"late_label\":%lld", (long long)t->late_label);
        req_fail_extra(
            r, t->err, NULL, extra, "%s; what you sent is kept as a late version", t->why);
    } else {
        req_fail(r, t->err, NULL, "%s%s", t->why, kept ? "; your comments are kept" : "");
    }
}

static void on_comments_kept(struct req *r, const PGresult *res)
{
    (void)res;
    refuse(r->user, true);
}

static void release_array(void *array)
{
    db_array_release(array);
}

static struct db_array *comments_array(struct req *r)
{
    struct db_array *a = arena_alloc(r->arena, sizeof(*a));

    db_array_init(a, DB_TEXT);
    arena_defer(r->arena, release_array, a);
    return a;
}

/* A verdict that came too late: whoever looks at the task next reads what it said of it. */
static void keep_comments(struct transition *t)
{
    struct req *r = t->user;
    struct query *q = query_new(r, STMT_comment_keep, on_comments_kept);
    struct db_array *regions = comments_array(r), *texts = comments_array(r);

    r->user = t;
    for (size_t i = 0; i < t->ncomments; i++) {
        db_array_text(regions, t->comments[i].region);
        db_array_text(texts, t->comments[i].text);
    }
    query_int(q, t->task);
    query_int(q, r->who.user);
    db_array_bind(regions, &q->call);
    db_array_bind(texts, &q->call);
    query_read(q);
}

static void answer(struct transition *t)
{
    struct req *r = t->user;
    struct buf out;

    if (t->err == ERR_EXISTS && t->idempotency) {
        idempotency_replay(r);
        return;
    }
    if (t->err && t->late && t->ncomments) {
        keep_comments(t);
        return;
    }
    if (t->err) {
        refuse(t, false);
        return;
    }
    buf_init(&out, BUF_MAX_JSON);
    work_answer(t, &out);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static struct transition *transition_new(struct req *r, enum verb verb)
{
    struct transition *t = arena_alloc(r->arena, sizeof(*t));

    *t = (struct transition){.ctx = r->ctx,
        .project = r->project,
        .tenant = r->who.tenant,
        .assignment = r->id_arg[0],
        .version = r->version,
        .actor = r->who.user,
        .verb = verb,
        .lead_time = -1,
        .score = -1,
        .idempotency = r->idempotency,
        .done = answer,
        .user = r};
    return t;
}

static void with_label(struct req *r, struct labelled *label)
{
    struct transition *t = r->user;

    t->label = label;
    transition_start(t);
}

void submit_handler(struct req *r)
{
    static const char *const members[] = {"result", "lead_time"};
    struct transition *t = transition_new(r, VERB_SUBMIT);

    r->user = t;
    if (body_only(r, members, ARRAY_LEN(members)) &&
        body_num(r, "lead_time", 0, LEAD_TIME_MAX_S, &t->lead_time))
        label_body_read(r, with_label);
}

/* One element of "comments". false: answered. */
static bool read_comment(struct req *r, size_t i, struct json_object *v, struct comment *out)
{
    struct json_object *text = NULL, *region = NULL;
    int known = json_object_object_get_ex(v, "text", &text) +
                json_object_object_get_ex(v, "region", &region);
    char *at = arena_printf(r->arena, "/comments/%zu", i);

    if (!json_object_is_type(v, json_type_object) || known != json_object_object_length(v) ||
        !json_object_is_type(text, json_type_string) ||
        (region && !json_object_is_type(region, json_type_string))) {
        req_fail(r, ERR_INVALID, at, "must be an object with text and, if wanted, region");
        return false;
    }
    out->text =
        (struct str){json_object_get_string(text), (size_t)json_object_get_string_len(text)};
    if (region)
        out->region = (struct str){
            json_object_get_string(region), (size_t)json_object_get_string_len(region)};
    if (out->text.n < 1 || out->text.n > COMMENT_MAX || out->region.n > COMMENT_REGION_MAX) {
        req_fail(r, ERR_INVALID, at, "text must have 1 to %d bytes", COMMENT_MAX);
        return false;
    }
    return true;
}

static bool read_comments(struct req *r, struct transition *t)
{
    struct json_object *list = body_get(r, "comments");
    struct comment *comments;

    if (!list)
        return true;
    if (!json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) > COMMENTS_MAX) {
        req_fail(r, ERR_INVALID, "/comments", "must be an array of at most %d", COMMENTS_MAX);
        return false;
    }
    t->ncomments = json_object_array_length(list);
    comments = arena_array(r->arena, t->ncomments, sizeof(*comments));
    t->comments = comments;
    for (size_t i = 0; i < t->ncomments; i++)
        if (!read_comment(r, i, json_object_array_get_idx(list, i), &comments[i]))
            return false;
    return true;
}

void verdict_handler(struct req *r)
{
    static const char *const members[] = {"verdict", "result", "comments", "lead_time"};
    static const char *const verdicts[] = {"accept", "fix", "reject"};
    struct transition *t = transition_new(r, VERB_ACCEPT);
    struct str verdict = {NULL, 0};
    size_t i = 0;

    if (!body_only(r, members, ARRAY_LEN(members)) || !body_str(r, "verdict", true, 16, &verdict) ||
        !body_num(r, "lead_time", 0, LEAD_TIME_MAX_S, &t->lead_time) || !read_comments(r, t))
        return;
    while (i < ARRAY_LEN(verdicts) && !str_is(verdict, verdicts[i]))
        i++;
    if (i == ARRAY_LEN(verdicts)) {
        req_fail(r, ERR_INVALID, "/verdict", "must be accept, fix or reject");
        return;
    }
    t->verb = (enum verb)(VERB_ACCEPT + i);
    r->user = t;
    if (t->verb == VERB_FIX)
        label_body_read(r, with_label);
    else if (body_get(r, "result"))
        req_fail(r, ERR_INVALID, "/result", "goes with the verdict fix only");
    else
        transition_start(t);
}

void skip_handler(struct req *r)
{
    static const char *const members[] = {"reason"};
    struct transition *t = transition_new(r, VERB_SKIP);
    struct str reason = {NULL, 0};
    struct buf detail;

    if (!body_only(r, members, 1) || !body_str(r, "reason", false, REASON_MAX, &reason))
        return;
    if (reason.p) {
        buf_init(&detail, BUF_MAX_LINE);
        buf_puts(&detail, "{\"reason\":");
        buf_json(&detail, reason);
        buf_putc(&detail, '}');
        t->detail = arena_str(r->arena, buf_view(&detail));
        buf_release(&detail);
    }
    transition_start(t);
}

/* ---- giving work back */

static void on_why_not(struct req *r, const PGresult *res)
{
    if (PQntuples(res) == 0)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such assignment");
    else if (!db_get_bool(res, 0, 1))
        req_fail(r, ERR_LEASE_LOST, NULL, "this assignment is not yours");
    else if (!db_get_bool(res, 0, 2))
        req_fail(r, ERR_VERSION, NULL, "the assignment has moved on to another version");
    else
        req_fail(r, ERR_CONFLICT, NULL, "the assignment is %.*s", STR_FMT(db_get_str(res, 0, 0)));
}

/* Why a guarded write found nothing to change: for the error's sake only. Under another version is
 * 412 to whoever holds it or did, as for a submit; else it is not theirs. */
static void explain(struct req *r)
{
    struct query *q = query_new(r, STMT_assignment_why, on_why_not);

    query_int(q, r->id_arg[0]);
    query_int(q, r->version);
    query_int(q, r->who.user);
    query_run(q);
}

static void on_released(struct req *r, const PGresult *res)
{
    struct buf out;
    enum stage stage;

    if (PQntuples(res) == 0) {
        explain(r);
        return;
    }
    if (stage_parse(db_get_str(res, 0, 3), &stage)) {
        queue_head_given_back(r->ctx->server, r->who.tenant, r->project->id, stage);
        park_wake(r->ctx->server, r->who.tenant, r->project->id, stage);
    }
    buf_init(&out, BUF_MAX_JSON);
    buf_printf(
        &out, "{\"id\":%lld,\"version\":%lld}", (long long)r->id_arg[0], (long long)r->version);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void release_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_assignment_release, on_released);

    query_int(q, r->id_arg[0]);
    query_int(q, r->version);
    query_int(q, r->who.user);
    query_run(q);
}

/* ---- drafts */

static void on_draft_saved(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        explain(r);
        return;
    }
    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"saved_at\":");
    put_raw(&out, res, 0, 0);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void draft_put_handler(struct req *r)
{
    static const char *const members[] = {"result"};
    struct json_object *result;

    if (!body_only(r, members, 1))
        return;
    result = body_get(r, "result");
    if (!json_object_is_type(result, json_type_array)) {
        req_fail(r, ERR_INVALID, "/result", "must be an array of result items");
        return;
    }
    /* Not validated: a draft may be half an item. It is well-formed JSON within the size limit. */
    struct query *q = query_new(r, STMT_draft_put, on_draft_saved);
    query_int(q, r->id_arg[0]);
    query_int(q, r->version);
    query_int(q, r->who.user);
    query_text(q, str_of(json_object_to_json_string_ext(
                      result, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
    query_run(q);
}

static void on_draft(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "you have no draft of this assignment");
        return;
    }
    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"result\":");
    put_raw(&out, res, 0, 0);
    buf_puts(&out, ",\"saved_at\":");
    put_raw(&out, res, 0, 1);
    buf_puts(&out, ",\"version\":");
    put_int(&out, res, 0, 2);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void draft_get_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_draft_get, on_draft);

    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_run(q);
}
