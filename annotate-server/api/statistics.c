/* Owns the statistics: sums of what people did, by stage, with quantiles of the time it took, rates
 * of what became of their labels, and queues. Never counts events: upkeep has. An annotator and a
 * model see their own alone. */
#include "annotate-server/api/statistics.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "annotate-server/api/query.h"
#include "base/clock.h"
#include "base/json_scan.h"
#include "core/wilson.h"
#include "core/workflow.h"

enum { DAYS_MAX = 366, ACTIONS_MAX = 32, BUCKETS = 160 };

/* The columns that stat_people and stat_days have in common, from `at` on. */
enum { OFF_STAGE, OFF_ACTION, OFF_BUCKET, OFF_N, OFF_LEAD_MS, OFF_AS_OF };

/* What is summed of one stage. */
struct stage_sums {
    int64_t bucket[BUCKETS]; /* of times; 0 is not one */
    int64_t timed, lead_ms;
    struct {
        struct str name;
        int64_t n;
    } action[ACTIONS_MAX];
    int nactions;
};

struct sums {
    struct stage_sums stage[STAGE_COUNT];
};

/* Adds one row of sums; a row without any (a member who did nothing) adds nothing. */
static void add_row(struct sums *s, const PGresult *res, int row, int at)
{
    enum stage stage;
    struct str action = db_get_str(res, row, at + OFF_ACTION);
    int64_t n = db_get_int(res, row, at + OFF_N), bucket = db_get_int(res, row, at + OFF_BUCKET);

    if (db_is_null(res, row, at + OFF_STAGE) ||
        !stage_parse(db_get_str(res, row, at + OFF_STAGE), &stage))
        return;
    struct stage_sums *t = &s->stage[stage];
    int i = 0;
    while (i < t->nactions && !str_eq(t->action[i].name, action))
        i++;
    if (i == ACTIONS_MAX)
        return;
    if (i == t->nactions)
        t->action[t->nactions++].name = action;
    t->action[i].n += n;
    if (bucket > 0 && bucket < BUCKETS) {
        t->bucket[bucket] += n;
        t->timed += n;
        t->lead_ms += db_get_int(res, row, at + OFF_LEAD_MS);
    }
}

static int64_t count_of(const struct sums *s, enum stage stage, const char *action)
{
    const struct stage_sums *t = &s->stage[stage];

    for (int i = 0; i < t->nactions; i++)
        if (str_is(t->action[i].name, action))
            return t->action[i].n;
    return 0;
}

/* The upper end, in seconds, of the bucket in which the quantile lies (migration 0004: a bucket is
 * 19 % wide). */
static double quantile(const struct stage_sums *t, double q)
{
    int64_t rank = (int64_t)ceil(q * (double)t->timed), seen = 0;

    for (int b = 1; b < BUCKETS; b++)
        if ((seen += t->bucket[b]) >= rank)
            return 0.1 * exp2((b - 1) / 4.0);
    return 0;
}

/* "work":[{"stage","actions":{…},"lead":…},…] */
static void put_work(struct buf *out, const struct sums *s)
{
    buf_puts(out, "\"work\":[");
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        const struct stage_sums *t = &s->stage[stage];
        if (t->nactions == 0)
            continue;
        buf_printf(out, "{\"stage\":\"%s\",\"actions\":{", stage_name((enum stage)stage));
        for (int i = 0; i < t->nactions; i++) {
            buf_json(out, t->action[i].name);
            buf_printf(out, ":%lld,", (long long)t->action[i].n);
        }
        buf_chop(out, ',');
        buf_puts(out, "},\"lead\":");
        if (t->timed)
            buf_printf(out, "{\"n\":%lld,\"sum_s\":%.3f,\"p50_s\":%.3f,\"p95_s\":%.3f}},",
                (long long)t->timed, (double)t->lead_ms / 1000, quantile(t, 0.5),
                quantile(t, 0.95));
        else
            buf_puts(out, "null},");
    }
    buf_chop(out, ',');
    buf_putc(out, ']');
}

void put_as_of(struct buf *out, const PGresult *res, int col)
{
    bool never = PQntuples(res) == 0 || db_is_null(res, 0, col) ||
                 str_is(db_get_str(res, 0, col), "\"-infinity\"");

    buf_puts(out, "\"as_of\":");
    if (never)
        buf_puts(out, "null");
    else
        put_raw(out, res, 0, col);
}

/* Those who do the work see their own figures, not each other's. */
static bool own_only(const struct req *r)
{
    return !r->who.admin && (r->who.role == ROLE_ANNOTATOR || r->who.role == ROLE_MODEL);
}

/* ---- people and quality: a row per member */

enum { COL_USER, COL_NAME, COL_ROLE, COL_SUMS };

struct page {
    int64_t limit;
    void (*put)(struct buf *out, const struct sums *s);
};

static void on_people(struct req *r, const PGresult *res)
{
    const struct page *p = r->user;
    struct sums *s = arena_alloc(r->arena, sizeof(*s));
    int rows = PQntuples(res), people = 0;
    int64_t user = 0;
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_puts(&out, "{\"people\":[");
    for (int row = 0; row < rows; people++) {
        int first = row;
        user = db_get_int(res, row, COL_USER);
        *s = (struct sums){0};
        for (; row < rows && db_get_int(res, row, COL_USER) == user; row++)
            add_row(s, res, row, COL_SUMS);
        buf_printf(&out, "{\"user\":%lld,\"name\":", (long long)user);
        put_str(&out, res, first, COL_NAME);
        buf_puts(&out, ",\"role\":");
        put_str(&out, res, first, COL_ROLE);
        buf_putc(&out, ',');
        p->put(&out, s);
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    put_as_of(&out, res, COL_SUMS + OFF_AS_OF);
    buf_putc(&out, ',');
    page_end(&out, people, p->limit, user);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static void people_page(struct req *r, void (*put)(struct buf *, const struct sums *))
{
    struct page *p = arena_alloc(r->arena, sizeof(*p));
    int64_t after;

    p->put = put;
    if (!page_params(r, &after, &p->limit))
        return;
    r->user = p;
    struct query *q = query_new(r, STMT_stat_people, on_people);
    query_int(q, r->id_arg[0]);
    query_int(q, after);
    query_int(q, p->limit);
    if (own_only(r))
        query_int(q, r->who.user);
    else
        query_null(q);
    query_run(q);
}

void people_handler(struct req *r)
{
    people_page(r, put_work);
}

/* k of n as a rate with Wilson's interval at 95 %. */
static void put_rate(struct buf *out, const char *name, int64_t k, int64_t n)
{
    struct share s = wilson_interval(k, n, 0.95);

    if (n)
        buf_printf(out, ",\"%s\":{\"rate\":%.6f,\"low\":%.6f,\"high\":%.6f}", name, s.share, s.low,
            s.high);
    else
        buf_printf(out, ",\"%s\":null", name);
}

/* How often a person's labels came back. Review and QA are judged apart. */
static void put_quality(struct buf *out, const struct sums *s)
{
    int64_t submitted = count_of(s, STAGE_ANNOTATE, "submit");
    int64_t again = count_of(s, STAGE_ANNOTATE, "resubmit");
    int64_t accepted = count_of(s, STAGE_REVIEW, "accepted");
    int64_t fixed = count_of(s, STAGE_REVIEW, "fixed");
    int64_t rejected = count_of(s, STAGE_REVIEW, "rejected");
    int64_t reviewed = accepted + fixed + rejected;
    int64_t passed = count_of(s, STAGE_QA, "passed"), qa_fixed = count_of(s, STAGE_QA, "fixed");
    int64_t failed = count_of(s, STAGE_QA, "failed");

    buf_printf(out,
        "\"submitted\":%lld,\"resubmitted\":%lld,\"accepted\":%lld,\"fixed\":%lld,"
        "\"rejected\":%lld,\"qa_passed\":%lld,\"qa_fixed\":%lld,\"qa_failed\":%lld",
        (long long)submitted, (long long)again, (long long)accepted, (long long)fixed,
        (long long)rejected, (long long)passed, (long long)qa_fixed, (long long)failed);
    put_rate(out, "rework_rate", again, submitted);
    put_rate(out, "rejection_rate", rejected, reviewed);
    put_rate(out, "correction_rate", fixed + rejected, reviewed);
    put_rate(out, "qa_failure_rate", qa_fixed + failed, passed + qa_fixed + failed);
}

void quality_handler(struct req *r)
{
    people_page(r, put_quality);
}

/* ---- throughput: a row per day */

enum { COL_DAY, COL_DAY_SUMS };

struct days {
    char from[16], to[16];
};

static void on_days(struct req *r, const PGresult *res)
{
    const struct days *d = r->user;
    struct sums *s = arena_alloc(r->arena, sizeof(*s));
    int rows = PQntuples(res);
    struct buf out;

    buf_init(&out, BUF_MAX_REPLY);
    buf_printf(&out, "{\"from\":\"%s\",\"to\":\"%s\",\"days\":[", d->from, d->to);
    for (int row = 0; row < rows;) {
        struct str day = db_get_str(res, row, COL_DAY);
        bool none = db_is_null(res, row, COL_DAY);
        *s = (struct sums){0};
        for (; row < rows && str_eq(db_get_str(res, row, COL_DAY), day); row++)
            add_row(s, res, row, COL_DAY_SUMS);
        if (none)
            continue;
        buf_puts(&out, "{\"day\":");
        buf_json(&out, day);
        buf_putc(&out, ',');
        put_work(&out, s);
        buf_puts(&out, "},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    put_as_of(&out, res, COL_DAY_SUMS + OFF_AS_OF);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

/* Days since 1970 of "2026-11-24"; false when it is no day. */
static bool read_day(struct str s, int64_t *days)
{
    struct str part[3], rest = s;
    int64_t n[3];
    struct tm tm = {0};

    if (s.n != 10)
        return false;
    for (int i = 0; i < 3; i++)
        if (!str_split(&rest, '-', &part[i]) || part[i].n != (i ? 2 : 4) ||
            !str_int(part[i], &n[i]) || n[i] < 1)
            return false;
    tm.tm_year = (int)n[0] - 1900;
    tm.tm_mon = (int)n[1] - 1;
    tm.tm_mday = (int)n[2];
    int64_t seconds = timegm(&tm);
    *days = seconds / 86400;
    return rest.p == NULL && seconds >= 0 && tm.tm_mon == (int)n[1] - 1 && tm.tm_mday == (int)n[2];
}

/* A day of the query, or `dflt`; *out as text. false: answered. */
static bool day_param(struct req *r, const char *name, int64_t dflt, int64_t *days, char out[16])
{
    struct str s = req_query(r, name);
    char text[32];

    *days = dflt;
    if (s.p && !read_day(s, days)) {
        req_fail(r, ERR_INVALID, arena_printf(r->arena, "/%s", name),
            "must be a day such as 2026-11-24");
        return false;
    }
    clock_rfc3339_at(*days * 86400, text, sizeof(text));
    snprintf(out, 16, "%.10s", text);
    return true;
}

void throughput_handler(struct req *r)
{
    struct days *d = arena_alloc(r->arena, sizeof(*d));
    int64_t from, to, user;

    if (!day_param(r, "to", clock_unix() / 86400, &to, d->to) ||
        !day_param(r, "from", to > 29 ? to - 29 : 0, &from, d->from) ||
        !req_query_int(r, "user", 0, 1, JSON_INT_MAX, &user))
        return;
    if (from > to || to - from >= DAYS_MAX) {
        req_fail(r, ERR_INVALID, "/from", "must be at most %d days before `to`", DAYS_MAX - 1);
        return;
    }
    if (own_only(r)) {
        if (user && user != r->who.user) {
            req_fail(r, ERR_FORBIDDEN, NULL, "you see your own figures only");
            return;
        }
        user = r->who.user;
    }
    r->user = d;
    struct query *q = query_new(r, STMT_stat_days, on_days);
    query_int(q, r->id_arg[0]);
    query_int(q, user);
    query_text(q, str_of(d->from));
    query_text(q, str_of(d->to));
    query_run(q);
}

/* ---- queues */

static void on_queues(struct req *r, const PGresult *res)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_puts(&out, "{\"queues\":[");
    for (int row = 0; row < PQntuples(res); row++) {
        buf_puts(&out, "{\"stage\":");
        put_str(&out, res, row, 0);
        buf_puts(&out, ",\"tasks\":");
        put_int(&out, res, row, 1);
        if (db_is_null(res, row, 2)) {
            buf_puts(&out, ",\"oldest\":null},");
            continue;
        }
        buf_puts(&out, ",\"oldest\":{\"task\":");
        put_int(&out, res, row, 2);
        buf_puts(&out, ",\"since\":");
        put_raw(&out, res, row, 3);
        buf_puts(&out, ",\"age_s\":");
        put_int(&out, res, row, 4);
        buf_puts(&out, "}},");
    }
    buf_chop(&out, ',');
    buf_puts(&out, "],");
    put_as_of(&out, res, 5);
    buf_putc(&out, '}');
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void queues_handler(struct req *r)
{
    struct query *q = query_new(r, STMT_stat_queues, on_queues);

    query_int(q, r->id_arg[0]);
    query_run(q);
}
