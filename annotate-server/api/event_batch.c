/* Owns the text of events on the wire (docs/api.md, Events). Never sends it. */
#include "annotate-server/api/event_batch.h"

#include <stdlib.h>

#include "annotate-server/api/query.h"

enum { BATCH_MAX = 16 << 20 };

enum {
    COL_SEQ,
    COL_SNAPSHOT,
    COL_LOST,
    COL_PROJECT,
    COL_TASK,
    COL_VERSION,
    COL_ACTOR,
    COL_ASSIGNMENT,
    COL_LABEL,
    COL_RELEASE,
    COL_ACTION,
    COL_FROM,
    COL_TO,
    COL_AT,
    COL_ABOUT,
};

bool event_action_parse(struct str name, int *out)
{
    enum action a;

    *out = BATCH_PUBLISH;
    if (str_is(name, "publish"))
        return true;
    if (!action_parse(name, &a))
        return false;
    *out = (int)a;
    return true;
}

/* The last event of a batch stands for all of it: its id needs no list of what is missing. */
static void put_id(struct buf *out, struct str prev, struct str cur, int64_t seq, bool last)
{
    const struct event_id id =
        last ? (struct event_id){.prev = cur} : (struct event_id){prev, cur, seq};

    event_id_line(out, &id);
}

static const struct {
    const char *name;
    int col;
    void (*put)(struct buf *out, const PGresult *res, int row, int col);
} part[] = {{"seq", COL_SEQ, put_int}, {"at", COL_AT, put_raw}, {"project", COL_PROJECT, put_int},
    {"task", COL_TASK, put_int}, {"actor", COL_ACTOR, put_int},
    {"assignment", COL_ASSIGNMENT, put_int}, {"action", COL_ACTION, put_str}},
  rest[] = {{"version", COL_VERSION, put_int}, {"from", COL_FROM, put_str}, {"to", COL_TO, put_str},
      {"label", COL_LABEL, put_int}, {"release", COL_RELEASE, put_int}};

static void put_row(struct event_batch *b, struct event_row *row, const PGresult *res, int i)
{
    struct buf *out = &b->text;

    buf_puts(out, "event: ");
    buf_str(out, db_get_str(res, i, COL_ACTION));
    buf_puts(out, "\ndata: {");
    for (size_t k = 0; k < ARRAY_LEN(part); k++) {
        buf_printf(out, "%s\"%s\":", k ? "," : "", part[k].name);
        part[k].put(out, res, i, part[k].col);
    }
    row->part = (uint32_t)(out->n - row->off);
    for (size_t k = 0; k < ARRAY_LEN(rest); k++) {
        buf_printf(out, ",\"%s\":", rest[k].name);
        rest[k].put(out, res, i, rest[k].col);
    }
    row->all = (uint32_t)(out->n - row->off);
}

static void add_project(struct event_batch *b, int64_t project)
{
    if (b->nprojects < 0 || event_batch_has(b, project))
        return;
    if (b->nprojects == BATCH_PROJECTS)
        b->nprojects = -1;
    else
        b->projects[b->nprojects++] = project;
}

enum err event_batch_make(
    struct event_batch *b, struct str prev, struct str cur, const PGresult *res)
{
    int n = PQntuples(res);

    *b = (struct event_batch){0};
    buf_init(&b->text, BATCH_MAX);
    b->rows = calloc((size_t)n + 1, sizeof(b->rows[0]));
    BUG_ON(!b->rows);
    for (int i = 1; i < n; i++) { /* row 0 is the snapshot's */
        struct event_row *row = &b->rows[b->n++];
        *row = (struct event_row){
            .project = db_get_int(res, i, COL_PROJECT),
            .about = db_get_int(res, i, COL_ABOUT),
            .off = b->text.n,
        };
        if (!event_action_parse(db_get_str(res, i, COL_ACTION), &row->action))
            return ERR_CORRUPT;
        put_id(&b->text, prev, cur, db_get_int(res, i, COL_SEQ), i == n - 1);
        put_row(b, row, res, i);
        add_project(b, row->project);
    }
    return buf_err(&b->text);
}

void event_batch_release(struct event_batch *b)
{
    buf_release(&b->text);
    free(b->rows);
    *b = (struct event_batch){0};
}

bool event_batch_has(const struct event_batch *b, int64_t project)
{
    for (int i = 0; i < b->nprojects; i++)
        if (b->projects[i] == project)
            return true;
    return b->nprojects < 0;
}

size_t event_batch_piece(const struct event_batch *b, size_t from, size_t n, size_t bytes)
{
    size_t to = from, sum = 0;

    for (; to < b->n && to - from < n && sum < bytes; to++)
        sum += b->rows[to].all;
    return to;
}

void event_batch_put(
    const struct event_batch *b, const struct event_row *row, bool whole, struct buf *out)
{
    buf_add(out, b->text.p + row->off, whole ? row->all : row->part);
    buf_str(out, STR("}\n\n"));
}
