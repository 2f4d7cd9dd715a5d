/* The workflow: its names, its table, every decision one by one, settings, sampling, what is
 * printed. */
#include "core/workflow.h"
#include <glob.h>

#include <math.h>
#include <stdlib.h>

#include "core/agreement.h"
#include "t.h"

enum { ANN = 11, BOB = 12, EVE = 13, REV = 21, QAN = 31 }; /* people */

/* ---- decisions ---- */

/* A decision in words, so that the cases below can be read. */
static void describe(const struct decision *d, struct buf *out)
{
    static const char *const ends[] = {"submitted", "skipped", "open"};

    buf_printf(out, "%s, slot %s", task_state_name(d->to), ends[d->slot]);
    if (d->exclude_actor)
        buf_puts(out, " not for its actor");
    if (d->label_is_head)
        buf_puts(out, ", head");
    if (d->merge)
        buf_puts(out, ", merge");
    if (d->cancel_rest)
        buf_puts(out, ", cancel rest");
    if (d->rework_add)
        buf_printf(out, ", rework+%d", d->rework_add);
    if (d->skip_add)
        buf_printf(out, ", skip+%d", d->skip_add);
    if (!d->open)
        return;
    buf_printf(out, ", open %d %s%s", d->open_slots, stage_name(d->open_stage),
        d->open_unfinished ? " unfinished" : "");
    if (d->reserved_for)
        buf_printf(out, " for %d", (int)d->reserved_for);
    for (int i = 0; i < d->nexclude; i++)
        buf_printf(out, "%s%d", i ? "," : " not ", (int)d->exclude[i]);
}

struct decision_case {
    const char *settings;
    struct task_facts facts;
    enum action action;
    const char *want; /* NULL: ERR_CONFLICT */
};

static void check_decisions(const struct decision_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct decision_case *c = &cases[i];
        struct workflow w;
        struct decision d, untouched;
        struct buf got;
        char pointer[64], why[128];
        memset(&d, 0x5a, sizeof(d));
        untouched = d;
        if (workflow_parse(&w, str_of(c->settings), pointer, why))
            t_fail(__FILE__, __LINE__, "settings of case %zu: %s %s", i, pointer, why);
        buf_init(&got, 4096);
        enum err e = workflow_decide(&w, &c->facts, c->action, &d);
        if (e)
            CHECK(e == ERR_CONFLICT && memcmp(&d, &untouched, sizeof(d)) == 0);
        else
            describe(&d, &got);
        const char *want = c->want ? c->want : "";
        if (!str_is(buf_view(&got), want))
            t_fail(__FILE__, __LINE__, "case %zu, %s: «%.*s», want «%s»", i, action_name(c->action),
                STR_FMT(buf_view(&got)), want);
        buf_release(&got);
    }
}

#define FACTS(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define BY(...)                                                                                    \
    .annotators = {__VA_ARGS__}, .nannotators = sizeof((int[]){__VA_ARGS__}) / sizeof(int)
#define NO_REVIEW   "{\"review\":{\"mode\":\"none\"}}"
#define ONLY_QA     "{\"review\":{\"mode\":\"none\"},\"qa\":{\"percent\":100}}"
#define WITH_QA     "{\"qa\":{\"percent\":100}}"
#define NO_SKIP     "{\"allow_skip\":false}"
#define PRELABEL    "{\"prelabel\":true}"
#define AUTO_ACCEPT "{\"prelabel\":true,\"auto_accept\":true,\"auto_accept_score\":0.9}"

TEST(decide_beginnings)
{
    static const struct decision_case cases[] = {
        {"{}", FACTS(.state = TASK_NONE), ACTION_IMPORT,
            "annotate, slot submitted, open 1 annotate"},
        {"{\"overlap\":3}", FACTS(.state = TASK_NONE, .overlap = 0), ACTION_IMPORT,
            "annotate, slot submitted, open 3 annotate"},
        {"{}", FACTS(.state = TASK_NONE, .has_label = true), ACTION_IMPORT,
            "annotate, slot submitted, head, open 1 annotate"},
        {PRELABEL, FACTS(.state = TASK_NONE), ACTION_IMPORT,
            "prelabel, slot submitted, open 1 prelabel"},
        {PRELABEL, FACTS(.state = TASK_PRELABEL, .overlap = 2, .score = 1), ACTION_PRELABELLED,
            "annotate, slot submitted, open 2 annotate"},
        {AUTO_ACCEPT, FACTS(.state = TASK_PRELABEL, .score = 0.9), ACTION_PRELABELLED,
            "review, slot submitted, head, open 1 review"},
        {AUTO_ACCEPT, FACTS(.state = TASK_PRELABEL, .score = 0.89), ACTION_PRELABELLED,
            "annotate, slot submitted, open 1 annotate"},
        {AUTO_ACCEPT, FACTS(.state = TASK_PRELABEL, .score = -1), ACTION_PRELABELLED,
            "annotate, slot submitted, open 1 annotate"},
        {AUTO_ACCEPT, FACTS(.state = TASK_PRELABEL, .score = (double)NAN), ACTION_PRELABELLED,
            "annotate, slot submitted, open 1 annotate"},
        {PRELABEL, FACTS(.state = TASK_PRELABEL), ACTION_PRELABEL_FAILED,
            "annotate, slot skipped, open 1 annotate"},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

TEST(decide_submit)
{
    static const struct decision_case cases[] = {
        {"{}", FACTS(.state = TASK_ANNOTATE, BY(ANN), .actor = ANN), ACTION_SUBMIT,
            "review, slot submitted, head, open 1 review not 11"},
        {NO_REVIEW, FACTS(.state = TASK_ANNOTATE, BY(ANN), .actor = ANN), ACTION_SUBMIT,
            "done, slot submitted, head"},
        {ONLY_QA, FACTS(.state = TASK_ANNOTATE, BY(ANN), .actor = ANN), ACTION_SUBMIT,
            "qa, slot submitted, head, open 1 qa not 11"},
        {"{}", FACTS(.state = TASK_ANNOTATE, .overlap = 2, .slots_left = 1, BY(ANN), .actor = ANN),
            ACTION_SUBMIT, "annotate, slot submitted"},
        {NO_REVIEW,
            FACTS(.state = TASK_ANNOTATE, .overlap = 2, .agreement = 0.7, BY(ANN, BOB),
                .actor = BOB),
            ACTION_SUBMIT, "done, slot submitted, merge"},
        {"{}",
            FACTS(.state = TASK_ANNOTATE, .overlap = 2, .agreement = 0.7, BY(ANN, BOB),
                .actor = BOB),
            ACTION_SUBMIT, "review, slot submitted, merge, open 1 review not 11,12"},
        /* below the threshold the reviewer adjudicates, whatever the sampling says */
        {NO_REVIEW,
            FACTS(.state = TASK_ANNOTATE, .overlap = 2, .agreement = 0.69, BY(ANN, BOB),
                .actor = BOB),
            ACTION_SUBMIT, "review, slot submitted, head, open 1 review not 11,12"},
        {NO_REVIEW,
            FACTS(.state = TASK_ANNOTATE, .overlap = 2, .agreement = (double)NAN, BY(ANN, BOB),
                .actor = BOB),
            ACTION_SUBMIT, "review, slot submitted, head, open 1 review not 11,12"},
        /* what was sent back is looked at again, and not merged with what was rejected beside it */
        {NO_REVIEW,
            FACTS(.state = TASK_ANNOTATE, .overlap = 2, .rework_count = 1, .agreement = 1,
                BY(ANN, BOB), .actor = ANN),
            ACTION_SUBMIT, "review, slot submitted, head, open 1 review not 11,12"},
        {"{}", FACTS(.state = TASK_REVIEW, .has_label = true), ACTION_SUBMIT, NULL},
        {"{}", FACTS(.state = TASK_DONE, .has_label = true), ACTION_SUBMIT, NULL},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

TEST(decide_skip)
{
    static const struct decision_case cases[] = {
        {"{}", FACTS(.state = TASK_ANNOTATE, .actor = ANN), ACTION_SKIP,
            "annotate, slot open not for its actor, skip+1"},
        {"{}", FACTS(.state = TASK_ANNOTATE, .skip_count = 1), ACTION_SKIP,
            "annotate, slot open not for its actor, skip+1"},
        {"{}", FACTS(.state = TASK_ANNOTATE, .skip_count = 2), ACTION_SKIP,
            "skipped, slot skipped, cancel rest, skip+1"},
        {"{\"skip_limit\":1}", FACTS(.state = TASK_ANNOTATE), ACTION_SKIP,
            "skipped, slot skipped, cancel rest, skip+1"},
        {NO_SKIP, FACTS(.state = TASK_ANNOTATE), ACTION_SKIP, NULL},
        {"{}", FACTS(.state = TASK_REVIEW), ACTION_SKIP, NULL},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

#define REVIEWED                                                                                   \
    FACTS(.state = TASK_REVIEW, .has_label = true, BY(ANN), .head_author = ANN, .actor = REV)
#define IN_QA                                                                                      \
    FACTS(.state = TASK_QA, .has_label = true, BY(ANN), .head_author = ANN, .reviewer = REV,       \
        .actor = QAN)

TEST(decide_verdicts)
{
    static const struct decision_case cases[] = {
        {"{}", REVIEWED, ACTION_ACCEPT, "done, slot submitted"},
        {WITH_QA, REVIEWED, ACTION_ACCEPT, "qa, slot submitted, open 1 qa not 11,21"},
        {"{}", REVIEWED, ACTION_FIX, "done, slot submitted, head"},
        {WITH_QA, REVIEWED, ACTION_FIX, "qa, slot submitted, head, open 1 qa not 11,21"},
        {"{}", FACTS(.state = TASK_REVIEW, BY(ANN), .actor = REV), ACTION_ACCEPT, NULL},
        {"{}", REVIEWED, ACTION_PASS, NULL},
        {"{}", REVIEWED, ACTION_FAIL, NULL},
        {"{}", IN_QA, ACTION_PASS, "done, slot submitted"},
        {"{}", IN_QA, ACTION_FIX, "done, slot submitted, head"},
        {"{}", IN_QA, ACTION_FAIL, "review, slot submitted, open 1 review not 11,21"},
        {"{}", IN_QA, ACTION_ACCEPT, NULL},
        {"{}", IN_QA, ACTION_REJECT, NULL},
        {"{}", FACTS(.state = TASK_QA, BY(ANN)), ACTION_PASS, NULL},
        /* the author of a fix does not judge it two reviews later */
        {WITH_QA,
            FACTS(.state = TASK_REVIEW, .has_label = true, BY(ANN), .head_author = REV,
                .reviewer = REV, .actor = EVE),
            ACTION_ACCEPT, "qa, slot submitted, open 1 qa not 11,21,13"},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

TEST(decide_rework)
{
    static const struct decision_case cases[] = {
        {"{}", REVIEWED, ACTION_REJECT,
            "annotate, slot submitted, rework+1, open 1 annotate for 11"},
        {"{}",
            FACTS(.state = TASK_REVIEW, .overlap = 3, .has_label = true, BY(ANN, BOB, EVE),
                .rework_count = 2, .actor = REV),
            ACTION_REJECT, "annotate, slot submitted, rework+1, open 1 annotate for 11"},
        {"{}",
            FACTS(.state = TASK_REVIEW, .overlap = 2, .has_label = true, BY(ANN, BOB),
                .rework_count = 3, .actor = REV),
            ACTION_REJECT, "annotate, slot submitted, rework+1, open 1 annotate not 11,12"},
        {"{\"max_rework\":0}", REVIEWED, ACTION_REJECT,
            "annotate, slot submitted, rework+1, open 1 annotate not 11"},
        /* an accepted pre-label is nobody's work: its rejection opens the ordinary slots */
        {"{}", FACTS(.state = TASK_REVIEW, .overlap = 2, .has_label = true, .actor = REV),
            ACTION_REJECT, "annotate, slot submitted, open 2 annotate"},
        {"{}", FACTS(.state = TASK_DONE, .has_label = true, BY(ANN)), ACTION_REOPEN,
            "annotate, slot submitted, rework+1, open 1 annotate for 11"},
        {"{}",
            FACTS(.state = TASK_DONE, .has_label = true, BY(ANN), .head_author = QAN,
                .reviewer = REV, .reopen_to_review = true),
            ACTION_REOPEN, "review, slot submitted, open 1 review not 11,31,21"},
        {"{}", FACTS(.state = TASK_SKIPPED, .overlap = 3, BY(ANN)), ACTION_REOPEN,
            "annotate, slot submitted, open 3 annotate unfinished"},
        {"{}", FACTS(.state = TASK_SKIPPED, .reopen_to_review = true), ACTION_REOPEN, NULL},
        {"{}", FACTS(.state = TASK_ANNOTATE), ACTION_REOPEN, NULL},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

#define ARCHIVED(was, ...)                                                                         \
    FACTS(.state = TASK_ARCHIVED, .archived_from = TASK_##was, .overlap = 2, .has_label = true,    \
        BY(ANN), .reviewer = REV, __VA_ARGS__)

TEST(decide_archive_and_restore)
{
    static const struct decision_case cases[] = {
        {"{}", FACTS(.state = TASK_ANNOTATE), ACTION_ARCHIVE,
            "archived, slot submitted, cancel rest"},
        {"{}", FACTS(.state = TASK_DONE), ACTION_ARCHIVE, "archived, slot submitted, cancel rest"},
        {"{}", ARCHIVED(DONE, .id = 1), ACTION_ARCHIVE, NULL},
        {"{}", ARCHIVED(PRELABEL, .id = 1), ACTION_RESTORE,
            "prelabel, slot submitted, open 1 prelabel unfinished"},
        {"{}", ARCHIVED(ANNOTATE, .id = 1), ACTION_RESTORE,
            "annotate, slot submitted, open 2 annotate unfinished"},
        {"{}", ARCHIVED(ANNOTATE, .rework_count = 4), ACTION_RESTORE,
            "annotate, slot submitted, open 2 annotate unfinished not 11"},
        {"{}", ARCHIVED(REVIEW, .id = 1), ACTION_RESTORE,
            "review, slot submitted, open 1 review unfinished not 11,21"},
        {"{}", ARCHIVED(QA, .id = 1), ACTION_RESTORE,
            "qa, slot submitted, open 1 qa unfinished not 11,21"},
        {"{}", ARCHIVED(DONE, .id = 1), ACTION_RESTORE, "done, slot submitted"},
        {"{}", ARCHIVED(SKIPPED, .id = 1), ACTION_RESTORE, "skipped, slot submitted"},
        {"{}", ARCHIVED(NONE, .id = 1), ACTION_RESTORE, NULL},
        {"{}", ARCHIVED(ARCHIVED, .id = 1), ACTION_RESTORE, NULL},
        {"{}", FACTS(.state = TASK_REVIEW), ACTION_RESTORE, NULL},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

TEST(decide_adopt)
{
    static const struct decision_case cases[] = {
        {"{}",
            FACTS(.state = TASK_REVIEW, .has_label = true, BY(ANN), .hands = {EVE}, .nhands = 1,
                .actor = REV),
            ACTION_ADOPT, "review, slot submitted, head, cancel rest, open 1 review not 11,13,21"},
        {NO_REVIEW,
            FACTS(.state = TASK_DONE, .has_label = true, BY(ANN), .head_author = BOB, .actor = REV),
            ACTION_ADOPT, "review, slot submitted, head, cancel rest, open 1 review not 11,12,21"},
        {"{}", FACTS(.state = TASK_SKIPPED, .actor = REV), ACTION_ADOPT,
            "review, slot submitted, head, cancel rest, open 1 review not 21"},
        {"{}", FACTS(.state = TASK_QA, BY(ANN), .reviewer = EVE, .actor = QAN), ACTION_ADOPT,
            "review, slot submitted, head, cancel rest, open 1 review not 11,31"},
        /* whose work was adopted does not judge it, however often it is fixed or fails */
        {WITH_QA,
            FACTS(.state = TASK_REVIEW, .has_label = true, BY(ANN), .hands = {EVE}, .nhands = 1,
                .head_author = EVE, .actor = REV),
            ACTION_FIX, "qa, slot submitted, head, open 1 qa not 11,13,21"},
        {"{}",
            FACTS(.state = TASK_QA, .has_label = true, BY(ANN), .hands = {EVE}, .nhands = 1,
                .head_author = REV, .reviewer = REV, .actor = QAN),
            ACTION_FAIL, "review, slot submitted, open 1 review not 11,13,21"},
        {"{}", FACTS(.state = TASK_ANNOTATE, BY(ANN), .actor = REV), ACTION_ADOPT, NULL},
        {"{}", ARCHIVED(DONE, .id = 1), ACTION_ADOPT, NULL},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

TEST(decide_erase)
{
    static const struct decision_case cases[] = {
        {"{}", FACTS(.state = TASK_ANNOTATE, .gold = true), ACTION_ERASE,
            "archived, slot submitted, cancel rest"},
        {"{}", ARCHIVED(DONE, .id = 1), ACTION_ERASE, "archived, slot submitted, cancel rest"},
        /* nothing leads back, and what comes too late is still kept */
        {"{}", ARCHIVED(DONE, .id = 1, .erased = true), ACTION_RESTORE, NULL},
        {"{}", ARCHIVED(DONE, .id = 1, .erased = true), ACTION_ERASE, NULL},
        {"{}", ARCHIVED(DONE, .id = 1, .erased = true), ACTION_LATE, "archived, slot open"},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

TEST(decide_leases)
{
    static const struct decision_case cases[] = {
        {"{}", FACTS(.state = TASK_ANNOTATE), ACTION_CLAIM, "annotate, slot open"},
        {"{}", FACTS(.state = TASK_QA), ACTION_EXPIRE, "qa, slot open"},
        {"{}", FACTS(.state = TASK_PRELABEL), ACTION_RELEASE, "prelabel, slot open"},
        {"{}", FACTS(.state = TASK_ARCHIVED), ACTION_LATE, "archived, slot open"},
        {"{}", FACTS(.state = TASK_DONE), ACTION_CLAIM, NULL},
        {"{}", FACTS(.state = TASK_NONE), ACTION_LATE, NULL},
    };
    check_decisions(cases, ARRAY_LEN(cases));
}

/* ---- the table ---- */

/* Many settings and facts for one (state, action): marks where the decisions lead. */
static void try_all(enum task_state from, enum action a, bool *reached)
{
    static const char *const settings[] = {
        "{}", NO_REVIEW, ONLY_QA, WITH_QA, PRELABEL, AUTO_ACCEPT, NO_SKIP, "{\"skip_limit\":1}"};

    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        for (unsigned bits = 0; bits < 8 * TASK_STATE_COUNT; bits++) {
            struct workflow w;
            struct decision d;
            char pointer[64], why[128];
            struct task_facts f = FACTS(BY(ANN), .score = 1, .agreement = 1);
            f.state = from;
            f.archived_from = (enum task_state)(bits / 8);
            f.slots_left = bits & 1;
            f.has_label = bits & 2;
            f.reopen_to_review = bits & 4;
            REQUIRE(workflow_parse(&w, str_of(settings[i]), pointer, why) == ERR_OK);
            enum err e = workflow_decide(&w, &f, a, &d);
            CHECK(e == ERR_OK || e == ERR_CONFLICT);
            if (!e)
                reached[d.to] = true;
        }
}

TEST(decisions_reach_every_row_and_no_other)
{
    for (int from = 0; from < TASK_STATE_COUNT; from++)
        for (int a = 0; a < ACTION_COUNT; a++) {
            bool reached[TASK_STATE_COUNT] = {false}, leaves = false;
            try_all((enum task_state)from, (enum action)a, reached);
            for (int to = 0; to < TASK_STATE_COUNT; to++) {
                bool legal =
                    workflow_legal((enum task_state)from, (enum action)a, (enum task_state)to);
                leaves |= legal;
                if (legal != reached[to])
                    t_fail(__FILE__, __LINE__, "%s --%s--> %s: legal %d, reached %d",
                        task_state_name((enum task_state)from), action_name((enum action)a),
                        task_state_name((enum task_state)to), legal, reached[to]);
            }
            CHECK(leaves == workflow_leaves((enum task_state)from, (enum action)a));
        }
}

TEST(names_go_both_ways)
{
    enum task_state s;
    enum stage stage;
    enum action a;

    for (int i = 0; i < TASK_STATE_COUNT; i++)
        CHECK(task_state_parse(str_of(task_state_name((enum task_state)i)), &s) && (int)s == i);
    for (int i = 0; i < STAGE_COUNT; i++)
        CHECK(stage_parse(str_of(stage_name((enum stage)i)), &stage) && (int)stage == i);
    for (int i = 0; i < ACTION_COUNT; i++)
        CHECK(action_parse(str_of(action_name((enum action)i)), &a) && (int)a == i);
    CHECK(!task_state_parse(STR("Done"), &s) && !task_state_parse(STR(""), &s));
    CHECK(!stage_parse(STR("done"), &stage) && !action_parse(STR("submi"), &a));
    CHECK(workflow_stage(TASK_QA, &stage) && stage == STAGE_QA);
    CHECK(!workflow_stage(TASK_DONE, &stage) && !workflow_stage(TASK_NONE, &stage));
    CHECK(workflow_moves(ACTION_SKIP) && !workflow_moves(ACTION_CLAIM));
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 20);

    if (!f || !text || fread(text, 1, (1 << 20) - 1, f) == 0)
        t_fail(__FILE__, __LINE__, "cannot read %s", path);
    if (f)
        fclose(f);
    return text;
}

/* The newest migration that writes the CHECK of `event`. */
static char *newest_check(void)
{
    glob_t files;
    char *sql = NULL;

    if (glob(TEST_DATA "/../../schema/migrations/*.sql", 0, NULL, &files))
        return NULL;
    for (size_t i = files.gl_pathc; i > 0 && !sql; i--) { /* sorted by name, so by number */
        sql = read_file(files.gl_pathv[i - 1]);
        if (!strstr(sql, "-- workflow begin")) {
            free(sql);
            sql = NULL;
        }
    }
    globfree(&files);
    return sql;
}

/* I2: the CHECK of `event` in the newest migration is the table, row for row. */
TEST(the_check_on_event_is_the_table)
{
    char *sql = newest_check();
    const char *begin = sql ? strstr(sql, "-- workflow begin") : NULL;
    const char *end = begin ? strstr(begin, "-- workflow end") : NULL;
    struct buf rows, want;

    REQUIRE(begin && end && (begin = strstr(begin, "IN (\n")) && begin < end);
    buf_init(&rows, 1 << 16);
    buf_init(&want, 1 << 16);
    struct str rest = {begin + 5, (size_t)(end - begin - 5)}, line;
    while (str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.n <= 1) /* the closing bracket */
            break;
        buf_printf(&rows, "%s%.*s", rows.n ? "\n" : "", STR_FMT(line));
    }
    workflow_check_sql(&want);
    CHECK_STR(buf_view(&rows), buf_view(&want));
    CHECK(strstr(want.p, "'annotate submit review',\n") != NULL);
    buf_release(&rows);
    buf_release(&want);
    free(sql);
}

TEST(the_drawing_has_every_row)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    workflow_dot(&b);
    CHECK(str_starts(buf_view(&b), STR("digraph workflow {\n")) && b.p[b.n - 2] == '}');
    for (int from = 0; from < TASK_STATE_COUNT; from++)
        for (int a = 0; a < ACTION_COUNT; a++)
            for (int to = 0; to < TASK_STATE_COUNT; to++) {
                char edge[120];
                snprintf(edge, sizeof(edge), "    %s -> %s [label=\"%s\"",
                    task_state_name((enum task_state)from), task_state_name((enum task_state)to),
                    action_name((enum action)a));
                CHECK((strstr(b.p, edge) != NULL) ==
                      workflow_legal((enum task_state)from, (enum action)a, (enum task_state)to));
            }
    buf_release(&b);
}

/* ---- settings ---- */

TEST(settings_have_the_documented_defaults)
{
    const char *want =
        "{\"agreement\":{\"metric\":\"auto\",\"threshold\":0.7},\"allow_skip\":true,"
        "\"auto_accept\":false,\"auto_accept_score\":0.95,\"gold_floor\":0,\"gold_percent\":0,"
        "\"lease_s\":{\"annotate\":600,\"prelabel\":120,\"qa\":600,\"review\":600},"
        "\"max_leases\":{\"annotate\":0,\"prelabel\":0,\"qa\":0,\"review\":0},"
        "\"max_rework\":3,\"overlap\":1,\"prelabel\":false,\"qa\":{\"percent\":0},"
        "\"reserve_s\":86400,\"review\":{\"mode\":\"all\",\"percent\":100},\"skills\":[],"
        "\"skip_limit\":3}";
    struct workflow w, again;
    char pointer[64], why[128];
    struct buf b;

    buf_init(&b, 4096);
    REQUIRE(workflow_parse(&w, STR("{}"), pointer, why) == ERR_OK);
    workflow_print(&w, &b);
    CHECK_STR(buf_view(&b), str_of(want));
    REQUIRE(workflow_parse(&again, buf_view(&b), pointer, why) == ERR_OK);
    CHECK(memcmp(&w, &again, sizeof(w)) == 0);
    buf_release(&b);
}

TEST(settings_are_read)
{
    struct workflow w;
    char pointer[64], why[128];

    REQUIRE(workflow_parse(&w,
                STR("{\"prelabel\":true,\"auto_accept\":true,\"auto_accept_score\":0.5,"
                    "\"overlap\":9,\"review\":{\"mode\":\"sample\",\"percent\":12.5},"
                    "\"qa\":{\"percent\":100},\"agreement\":{\"threshold\":1},\"max_rework\":0,"
                    "\"skip_limit\":1,\"allow_skip\":false,\"gold_percent\":2,"
                    "\"lease_s\":{\"annotate\":5,\"qa\":86400},\"reserve_s\":0,"
                    "\"max_leases\":{\"review\":2},\"skills\":[\"fr\",\"de\",\"fr\"]}"),
                pointer, why) == ERR_OK);
    CHECK(w.prelabel && w.auto_accept && w.auto_accept_score == 0.5 && w.overlap == 9);
    CHECK(w.review == REVIEW_SAMPLE && w.review_percent == 12.5 && w.qa_percent == 100);
    CHECK(w.agreement == 1 && str_is(STR("auto"), w.metric->name) && w.max_rework == 0 &&
          w.skip_limit == 1);
    CHECK(!w.allow_skip && w.gold_percent == 2 && w.reserve_s == 0);
    CHECK_INT(w.lease_s[STAGE_ANNOTATE], 5);
    CHECK_INT(w.lease_s[STAGE_QA], 86400);
    CHECK_INT(w.lease_s[STAGE_PRELABEL], 120);
    CHECK(w.max_leases[STAGE_REVIEW] == 2 && w.max_leases[STAGE_ANNOTATE] == 0);
    CHECK_STR(str_of(w.skills), STR("{\"de\",\"fr\"}"));
}

TEST(bad_settings_are_refused_with_a_pointer)
{
    static const struct {
        const char *json, *pointer;
    } cases[] = {
        {"", ""},
        {"null", ""},
        {"[]", ""},
        {"{\"overlap\":1,\"overlap\":2}", ""},
        {"{\"colour\":1}", "/colour"},
        {"{\"review\":{\"colour\":1}}", "/review/colour"},
        {"{\"percent\":1}", "/percent"},
        {"{\"\":1}", "/"},
        {"{\"a/b~\":1}", "/a~1b~0"},
        {"{\"overlap\":0}", "/overlap"},
        {"{\"overlap\":10}", "/overlap"},
        {"{\"overlap\":1.5}", "/overlap"},
        {"{\"overlap\":1.0}", "/overlap"},
        {"{\"overlap\":\"1\"}", "/overlap"},
        {"{\"overlap\":null}", "/overlap"},
        {"{\"overlap\":true}", "/overlap"},
        {"{\"overlap\":9007199254740991}", "/overlap"},
        {"{\"prelabel\":1}", "/prelabel"},
        {"{\"review\":\"all\"}", "/review"},
        {"{\"review\":{\"mode\":\"some\"}}", "/review/mode"},
        {"{\"review\":{\"mode\":null}}", "/review/mode"},
        {"{\"review\":{\"percent\":100.1}}", "/review/percent"},
        {"{\"review\":{\"percent\":-1}}", "/review/percent"},
        {"{\"agreement\":{\"threshold\":2}}", "/agreement/threshold"},
        {"{\"agreement\":{\"metric\":\"guess\"}}", "/agreement/metric"},
        {"{\"lease_s\":{\"annotate\":4}}", "/lease_s/annotate"},
        {"{\"lease_s\":{\"done\":60}}", "/lease_s/done"},
        {"{\"lease_s\":{\"lease_s\":{}}}", "/lease_s/lease_s"},
        {"{\"max_leases\":{\"qa\":257}}", "/max_leases/qa"},
        {"{\"max_leases\":3}", "/max_leases"},
        {"{\"skills\":\"de\"}", "/skills"},
        {"{\"skills\":[\"D\"]}", "/skills"},
        {"{\"a_name_of_more_than_sixty_characters_does_not_fit_into_the_pointer\":1}", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct workflow w = {.overlap = 77};
        char pointer[64] = "?", why[128] = "";
        if (workflow_parse(&w, str_of(cases[i].json), pointer, why) != ERR_INVALID)
            t_fail(__FILE__, __LINE__, "%s passed", cases[i].json);
        CHECK_STR(str_of(pointer), str_of(cases[i].pointer));
        CHECK(why[0] && w.overlap == 77);
    }
}

/* ---- sampling ---- */

TEST(sampling_is_even_stable_and_nested)
{
    int hits = 0, both = 0, n = 20000;

    for (int64_t id = 1; id <= n; id++) {
        bool ten = sample_hit(7, id, "review", 10), thirty = sample_hit(7, id, "review", 30);
        hits += thirty;
        both += thirty && sample_hit(7, id, "qa", 30);
        CHECK(!ten || thirty);
        CHECK(thirty == sample_hit(7, id, "review", 30));
        CHECK(sample_hit(7, id, "review", 100) && !sample_hit(7, id, "review", 0));
        CHECK(!sample_hit(7, id, "review", -1) && !sample_hit(7, id, "review", (double)NAN));
    }
    CHECK(abs(hits - n * 3 / 10) < n / 50);
    CHECK(abs(both - n * 9 / 100) < n / 50); /* review and qa are drawn apart */
}

/* SHA-256 of 16 bytes (salt, task, both big-endian) and the word, worked out apart from this code.
 */
TEST(sampling_vectors)
{
    static const struct {
        uint64_t salt;
        int64_t task;
        const char *what;
        double below, above; /* percent: not in the sample, in the sample */
    } cases[] = {{0ULL, 1, "review", 2.5134, 2.5154}, {1ULL, 1, "review", 85.1751, 85.1771},
        {18446744073709551615ULL, 9007199254740991, "qa", 36.3755, 36.3775},
        {1311768467463790320ULL, 42, "qa", 5.9778, 5.9798}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK(!sample_hit(cases[i].salt, cases[i].task, cases[i].what, cases[i].below));
        CHECK(sample_hit(cases[i].salt, cases[i].task, cases[i].what, cases[i].above));
    }
}
