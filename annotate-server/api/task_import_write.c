/* Owns writing a chunk of an import: its documents as one pack, then everything else as one
 * statement (I6). Never decides what goes into it. */
#include "annotate-server/api/task_import.h"

#include "annotate-server/api/park.h"
#include "base/fault.h"
#include "base/log.h"

/* The array parameters of task_import after the items', one element a label. */
enum label_column {
    LABEL_ITEM,
    LABEL_KIND,
    LABEL_SEQ,
    LABEL_MEMBER,
    LABEL_EMAIL,
    LABEL_MODEL,
    LABEL_SCORE,
    LABEL_LEAD,
    LABEL_OFF,
    LABEL_BYTES,
    LABEL_SHA,
    LABEL_REGIONS,
    LABEL_COLUMNS
};

static const enum db_elem item_elems[IMPORT_COLUMNS] = {
    [ITEM_DATA] = DB_TEXT,
    [ITEM_META] = DB_TEXT,
    [ITEM_EXTERNAL] = DB_TEXT,
    [ITEM_PRIORITY] = DB_INT4,
    [ITEM_LABELS] = DB_INT4,
    [ITEM_HEAD] = DB_INT4,
    [ITEM_SKILLS] = DB_TEXT,
};

static const enum db_elem label_elems[LABEL_COLUMNS] = {
    [LABEL_ITEM] = DB_INT4,
    [LABEL_KIND] = DB_TEXT,
    [LABEL_SEQ] = DB_INT4,
    [LABEL_MEMBER] = DB_INT8,
    [LABEL_EMAIL] = DB_TEXT,
    [LABEL_MODEL] = DB_TEXT,
    [LABEL_SCORE] = DB_FLOAT8,
    [LABEL_LEAD] = DB_FLOAT8,
    [LABEL_OFF] = DB_INT8,
    [LABEL_BYTES] = DB_INT4,
    [LABEL_SHA] = DB_BYTEA,
    [LABEL_REGIONS] = DB_INT4,
};

void import_chunk_release(struct import_chunk *c)
{
    if (!c->arena)
        return;
    for (int i = 0; i < IMPORT_COLUMNS; i++)
        db_array_release(&c->cols[i]);
    for (int i = 0; i < LABEL_COLUMNS; i++)
        db_array_release(&c->label_cols[i]);
    buf_release(&c->docs);
    arena_free(c->arena);
    c->arena = NULL;
}

void import_chunk_reset(struct import_chunk *c)
{
    struct import *im = c->im;

    import_chunk_release(c);
    *c = (struct import_chunk){.im = im, .arena = arena_new()};
    for (int i = 0; i < IMPORT_COLUMNS; i++)
        db_array_init(&c->cols[i], item_elems[i]);
    c->label_cols = arena_array(c->arena, LABEL_COLUMNS, sizeof(*c->label_cols));
    for (int i = 0; i < LABEL_COLUMNS; i++)
        db_array_init(&c->label_cols[i], label_elems[i]);
    buf_init(&c->docs, BUF_MAX_PACK);
}

bool import_chunk_full(const struct import_chunk *c)
{
    return c->items >= import_pace_items(c->im) || c->bytes >= IMPORT_CHUNK_BYTES ||
           import_fills_room(c->im);
}

/* ---- the statement */

static void written(struct db_call *call, enum err e, const PGresult *res)
{
    struct import_chunk *c = container_of(call, struct import_chunk, call);
    struct import *im = c->im;
    const struct project *p = im->r->project;
    int64_t n = e ? 0 : db_get_int(res, 0, 0);

    c->busy = false;
    import_pace_written(im);
    if (e == ERR_QUOTA && res)
        im->quota = quota_raised(im->r->arena, res);
    if (e) {
        import_break(im, e, err_title(e));
    } else {
        im->skipped += c->items - n;
        im->labels += db_get_int(res, 0, 3);
    }
    if (n) {
        im->first = im->created ? im->first : db_get_int(res, 0, 1);
        im->last = db_get_int(res, 0, 2);
        im->created += n;
        park_wake(im->r->ctx->server, im->r->who.tenant, p->id,
            p->workflow.prelabel ? STAGE_PRELABEL : STAGE_ANNOTATE);
    }
    if (import_chunk_measure(c))
        return;
    import_chunk_reset(c);
    import_advance(im);
}

static void put_real(struct db_array *a, double v) /* below 0 = NULL */
{
    if (v >= 0)
        db_array_float(a, v);
    else
        db_array_null(a);
}

static void add_label(
    struct import_chunk *c, const struct import_label *l, const struct pack_item *at)
{
    struct db_array *cols = c->label_cols;

    db_array_int(&cols[LABEL_ITEM], l->item);
    db_array_text(&cols[LABEL_KIND], l->prelabel ? STR("prelabel") : STR("import"));
    db_array_int(&cols[LABEL_SEQ], l->seq);
    if (l->member)
        db_array_int(&cols[LABEL_MEMBER], l->member);
    else
        db_array_null(&cols[LABEL_MEMBER]);
    db_array_text(&cols[LABEL_EMAIL], l->email);
    db_array_text(&cols[LABEL_MODEL], l->model);
    put_real(&cols[LABEL_SCORE], l->score);
    put_real(&cols[LABEL_LEAD], l->lead);
    db_array_int(&cols[LABEL_OFF], at->off);
    db_array_int(&cols[LABEL_BYTES], (int64_t)l->bytes);
    db_array_text(&cols[LABEL_SHA], (struct str){(const char *)l->sha256.b, SHA256_LEN});
    db_array_int(&cols[LABEL_REGIONS], (int64_t)l->regions);
}

static void bind_pack(struct import_chunk *c, int64_t bytes)
{
    char uuid[37];

    if (c->nlabels == 0) {
        for (int i = 0; i < 3; i++)
            db_null(&c->call);
        return;
    }
    pack_id_print(c->pack, uuid);
    db_text(&c->call, c->arena, str_of(uuid));
    db_int(&c->call, c->arena, bytes);
    db_int(&c->call, c->arena, (int64_t)c->nlabels);
}

static void run(struct import_chunk *c, const struct pack_item *places)
{
    struct import *im = c->im;
    const struct project *p = im->r->project;
    struct task_facts facts = {.salt = p->salt, .state = TASK_NONE, .overlap = p->workflow.overlap};
    struct decision d;
    int64_t bytes = 0;

    BUG_ON(workflow_decide(&p->workflow, &facts, ACTION_IMPORT, &d)); /* always legal */
    for (size_t i = 0; i < c->nlabels; i++) {
        add_label(c, &c->labels[i], &places[i]);
        bytes += (int64_t)c->labels[i].bytes;
    }
    db_call_init(&c->call, STMT_task_import, im->r->who.tenant, written);
    db_int(&c->call, c->arena, p->id);
    for (int i = 0; i < IMPORT_COLUMNS; i++)
        db_array_bind(&c->cols[i], &c->call);
    for (int i = 0; i < LABEL_COLUMNS; i++)
        db_array_bind(&c->label_cols[i], &c->call);
    bind_pack(c, bytes);
    db_text(&c->call, c->arena, str_of(task_state_name(d.to)));
    db_int(&c->call, c->arena, p->workflow.overlap);
    db_int(&c->call, c->arena, d.open_slots);
    db_int(&c->call, c->arena, im->r->who.user);
    db_int(&c->call, c->arena, p->config_version);
    db_int(&c->call, c->arena, im->id);
    db_int(&c->call, c->arena, im->text.items);
    db_int(&c->call, c->arena, im->failed);
    db_int(&c->call, c->arena, im->bytes);
    c->call.bulk = true;
    import_pace_begin(im);
    db_submit(im->r->ctx->db, &c->call);
}

/* ---- the pack */

static void pack(void *arg)
{
    struct import_chunk *c = arg;

    c->pack_err = pack_put(
        &c->im->r->ctx->server->blobs, c->im->r->who.tenant, c->places, c->nlabels, &c->pack);
}

static void packed(void *arg)
{
    struct import_chunk *c = arg;

    if (!c->pack_err)
        c->pack_err = FAULT("import.packed");
    if (!c->pack_err) {
        run(c, c->places);
        return;
    }
    log_error("pack", "%zu imported labels: %s", c->nlabels, err_title(c->pack_err));
    c->busy = false;
    import_break(c->im, c->pack_err, err_title(c->pack_err));
    import_advance(c->im);
}

void import_chunk_send(struct import_chunk *c)
{
    c->busy = true;
    if (c->nlabels == 0) {
        run(c, NULL);
        return;
    }
    c->places = arena_array(c->arena, c->nlabels, sizeof(*c->places));
    for (size_t i = 0; i < c->nlabels; i++)
        c->places[i].doc = (struct str){c->docs.p + c->labels[i].off, c->labels[i].bytes};
    work_submit(c->im->r->ctx->server->work, c->im->r->ctx->loop, pack, packed, c);
}
