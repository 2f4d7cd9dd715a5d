/* Owns the course of an import: what is asked for next, when it ends, what is answered. The parts
 * of the work are in task_import_*.c; see the header. */
#include "annotate-server/api/task_import.h"

#include "annotate-server/api/tasks.h"
#include "base/clock.h"

enum { TELL_ITEMS = 20000, WHY_MAX = 300, POINTER_MAX = 600 };

static const char *const error_modes[] = {
    [IMPORT_REFUSE] = "refuse", [IMPORT_STOP] = "stop", [IMPORT_SKIP] = "skip"};

/* ---- what is bad */

/* The first IMPORT_ERRORS of them, as JSON. */
static void list_bad(struct import *im, enum err e, const char *pointer, const char *why)
{
    struct buf *out = &im->list;

    if (im->failed > IMPORT_ERRORS)
        return;
    buf_printf(out,
        "%s{\"item\":%lld,\"line\":%lld,\"error\":\"%s\",\"pointer\":", im->failed > 1 ? "," : "",
        (long long)im->text.items, (long long)im->text.line, err_slug(e));
    buf_json(out, str_of(pointer));
    buf_puts(out, ",\"detail\":");
    buf_json(out, str_of(why));
    buf_putc(out, '}');
}

static void remember(struct import *im, enum err e, const char *pointer, const char *why)
{
    im->err = e;
    im->err_item = im->text.items;
    im->err_line = im->text.line;
    snprintf(im->pointer, POINTER_MAX, "%s", pointer);
    snprintf(im->why, WHY_MAX, "%s", why);
}

void import_bad(struct import *im, enum err e, bool end, const char *pointer, const char *why)
{
    char whole[POINTER_MAX];

    if (im->broken)
        return;
    snprintf(whole, sizeof(whole), "/%lld%s", (long long)im->text.items, pointer);
    im->failed++;
    list_bad(im, e, whole, why);
    if (!im->err || (end && im->errors == IMPORT_SKIP))
        remember(im, e, whole, why);
    im->broken = end || im->errors == IMPORT_STOP;
}

void import_break(struct import *im, enum err e, const char *why)
{
    char whole[POINTER_MAX];

    if (im->broken)
        return;
    snprintf(whole, sizeof(whole), "/%lld", (long long)im->text.items);
    remember(im, e, whole, why);
    im->broken = true;
}

/* ---- the answer */

static void answer_failure(struct import *im)
{
    struct req *r = im->r;
    struct buf extra;

    buf_init(&extra, BUF_MAX_JSON);
    buf_printf(&extra,
        "\"import\":%lld,\"created\":%lld,\"item\":%lld,\"line\":%lld,\"failed\":%lld,\"errors\":[",
        (long long)im->id, (long long)im->created, (long long)im->err_item, (long long)im->err_line,
        (long long)im->failed);
    buf_str(&extra, buf_view(&im->list));
    buf_putc(&extra, ']');
    if (im->err == ERR_QUOTA && im->quota)
        buf_printf(&extra, ",%s", im->quota);
    req_fail_extra(r, im->err, im->pointer, arena_copy(r->arena, extra.p, extra.n), "item %lld: %s",
        (long long)im->err_item, im->why);
    buf_release(&extra);
}

static void put_id(struct buf *out, const char *name, int64_t id)
{
    if (id)
        buf_printf(out, ",\"%s\":%lld", name, (long long)id);
    else
        buf_printf(out, ",\"%s\":null", name);
}

static void answer(struct import *im)
{
    struct buf out;

    if (im->err && (im->broken || im->errors == IMPORT_REFUSE)) {
        answer_failure(im);
        return;
    }
    buf_init(&out, BUF_MAX_JSON);
    buf_printf(&out,
        "{\"id\":%lld,\"created\":%lld,\"skipped\":%lld,\"failed\":%lld,\"labels\":%lld,"
        "\"cancelled\":%lld",
        (long long)im->id, (long long)im->created, (long long)im->skipped, (long long)im->failed,
        (long long)im->labels, (long long)im->cancelled);
    put_id(&out, "first_id", im->first);
    put_id(&out, "last_id", im->last);
    buf_puts(&out, ",\"errors\":[");
    buf_str(&out, buf_view(&im->list));
    buf_puts(&out, "]}");
    req_reply_json(im->r, 201, &out);
    buf_release(&out);
}

/* ---- the import's own row */

static void tell(struct import *im, const char *state,
    void (*done)(struct db_call *call, enum err e, const PGresult *res))
{
    struct arena *a = im->r->arena;
    bool bad = im->err && (im->broken || im->errors == IMPORT_REFUSE);

    im->told = im->text.items;
    im->telling = true;
    db_call_init(&im->call, STMT_import_update, im->r->who.tenant, done);
    db_int(&im->call, a, im->id);
    db_text(&im->call, a, str_of(state ? state : bad ? "failed" : "done"));
    db_int(&im->call, a, im->text.items);
    db_int(&im->call, a, im->failed);
    db_int(&im->call, a, im->bytes);
    if (im->err)
        db_text(&im->call, a,
            str_of(arena_printf(a, "item %lld: %s", (long long)im->err_item, im->why)));
    else
        db_null(&im->call);
    db_submit(im->r->ctx->db, &im->call);
}

static void on_told(struct db_call *call, enum err e, const PGresult *res)
{
    struct import *im = container_of(call, struct import, call);

    (void)res;
    im->telling = false;
    if (e)
        import_break(im, e, err_title(e));
    import_advance(im);
}

/* What is in is in, and the chunks have counted it: the answer does not depend on this row. */
static void on_ended(struct db_call *call, enum err e, const PGresult *res)
{
    (void)e;
    (void)res;
    answer(container_of(call, struct import, call));
}

static void end(struct import *im)
{
    im->ending = true;
    import_lease_stop(im);
    if (im->id)
        tell(im, NULL, on_ended);
    else
        answer(im);
}

/* ---- what comes next */

static struct import_chunk *other_chunk(struct import *im)
{
    return &im->chunks[im->fill == &im->chunks[0]];
}

static bool busy(struct import *im)
{
    return other_chunk(im)->busy || im->spool.busy || im->telling;
}

static bool replaying(const struct import *im)
{
    return im->errors == IMPORT_REFUSE && !im->checking;
}

/* What has been gathered goes on its way. True when there may be more to cut. */
static bool hand_on(struct import *im)
{
    struct import_chunk *c = im->fill;
    bool full = import_chunk_full(c);

    if (!full && !(im->text.ended && c->items))
        return false;
    if (im->checking)
        import_pace_checked(im);
    if (other_chunk(im)->busy || import_pace_wait(im))
        return false;
    im->fill = other_chunk(im);
    if (im->checking) {
        import_pace_begin(im);
        if (!import_chunk_weigh(c))
            import_chunk_reset(c);
        if (im->text.items - im->told >= TELL_ITEMS && !im->telling)
            tell(im, "checking", on_told);
        return full;
    }
    import_chunk_send(c);
    return full;
}

static void on_spooled(struct import *im);

static void on_piece(struct import *im)
{
    struct import_spool *s = &im->spool;

    if (s->err)
        import_break(im, s->err, err_title(s->err));
    buf_add(&im->text.in, s->piece, s->n);
    im->text.ended = s->n == 0;
    import_advance(im);
}

/* The body is wanted while there is room for what is in it. */
static void ask(struct import *im)
{
    bool room = !import_chunk_full(im->fill) && !im->spool.busy;

    if (im->text.ended)
        return;
    if (replaying(im)) {
        if (room)
            import_spool_read(&im->spool, on_piece);
    } else if (room && im->paused) {
        im->paused = false;
        req_body_resume(im->r);
    } else if (!room && !im->paused) {
        im->paused = true;
        req_body_pause(im->r);
    }
}

/* All has been cut and written, or checked. */
static void at_end(struct import *im)
{
    struct import_text *t = &im->text;

    if (t->in.n && !t->closed)
        import_bad(im, ERR_BAD_JSON, true, "", "the body ends inside an item");
    else if (t->form == IMPORT_ARRAY && !t->closed)
        import_bad(im, ERR_BAD_JSON, true, "", "the array is not closed");
    if (im->broken || !im->checking || im->failed || !import_fits(im)) {
        end(im);
    } else if (im->spool.n) {
        import_spool_flush(&im->spool, on_spooled);
    } else { /* every item is good: now in earnest */
        im->checking = false;
        im->cancelled = 0;
        import_text_rewind(t);
        ask(im);
    }
}

static void on_spooled(struct import *im)
{
    if (im->spool.err)
        import_break(im, im->spool.err, err_title(im->spool.err));
    import_advance(im);
}

void import_advance(struct import *im)
{
    if (im->ending || !im->begun)
        return;
    while (!im->broken) {
        int64_t since = clock_mono_us();
        import_cut(im);
        im->pace.cut_us += clock_mono_us() - since;
        if (im->broken || !hand_on(im))
            break;
    }
    if (im->broken) {
        if (!busy(im))
            end(im);
    } else if (im->text.ended && im->fill->items == 0) {
        if (!busy(im))
            at_end(im);
    } else {
        ask(im);
    }
}

/* ---- the request */

static void on_data(struct req *r, struct str data)
{
    struct import *im = r->user;

    if (im->broken)
        return;
    im->bytes += (int64_t)data.n;
    buf_str(&im->text.in, data);
    if (im->checking && !im->failed && import_spool_add(&im->spool, data))
        import_spool_flush(&im->spool, on_spooled);
    if (buf_err(&im->text.in))
        import_break(im, buf_err(&im->text.in) == ERR_FULL ? ERR_TOO_LARGE : ERR_NO_MEMORY,
            "the item is too large");
    import_advance(im);
}

static void on_end(struct req *r)
{
    struct import *im = r->user;
    struct buf *in = &im->text.in;

    im->body_done = true;
    im->text.ended = true;
    while (in->n && strchr(" \t\r\n", in->p[in->n - 1])) /* trailing blanks are nothing */
        in->n--;
    import_advance(im);
}

/* Who has sent it all need not wait for the answer. */
static void on_close(struct req *r)
{
    struct import *im = r->user;

    if (!im->body_done)
        import_break(im, ERR_TIMEOUT, "the client went away");
    import_advance(im);
}

static void on_begun(struct db_call *call, enum err e, const PGresult *res)
{
    static const struct req_stream stream = {on_data, on_end};
    struct import *im = container_of(call, struct import, call);

    im->begun = true;
    if (e)
        import_break(im, e, err_title(e));
    else
        im->id = db_get_int(res, 0, 0);
    if (!e)
        im->room = quota_room(res, 0, 1);
    if (!e)
        import_lease_start(im);
    if (im->checking && !im->broken && (e = import_spool_open(&im->spool, im)))
        import_break(im, e, "the body cannot be kept while it is checked");
    if (im->broken)
        import_advance(im);
    else
        req_read_body(im->r, &stream);
}

static void release(void *arg)
{
    struct import *im = arg;

    import_lease_stop(im);
    import_pace_release(im);
    import_chunk_release(&im->chunks[0]);
    import_chunk_release(&im->chunks[1]);
    import_spool_close(&im->spool);
    buf_release(&im->text.in);
    buf_release(&im->scratch);
    buf_release(&im->list);
    json_tokener_free(im->tokener);
}

static struct import *import_new(struct req *r, enum import_errors errors)
{
    struct import *im = arena_alloc(r->arena, sizeof(*im));

    im->r = r;
    im->errors = errors;
    im->checking = errors == IMPORT_REFUSE;
    im->spool.fd = -1;
    import_pace_init(im);
    import_text_init(&im->text);
    buf_init(&im->scratch, 2 * IMPORT_ITEM_MAX);
    buf_init(&im->list, BUF_MAX_JSON);
    im->pointer = arena_alloc(r->arena, POINTER_MAX);
    im->why = arena_alloc(r->arena, WHY_MAX);
    im->tokener = json_tokener_new_ex(JSON_DEPTH_IMPORT + 1); /* it counts one more */
    BUG_ON(!im->tokener);
    json_tokener_set_flags(im->tokener, JSON_TOKENER_STRICT);
    for (int i = 0; i < 2; i++) {
        im->chunks[i].im = im;
        import_chunk_reset(&im->chunks[i]);
    }
    im->fill = &im->chunks[0];
    arena_defer(r->arena, release, im);
    return im;
}

void task_import_handler(struct req *r)
{
    struct str errors = req_query(r, "errors");
    size_t mode = 0;

    while (errors.p && mode < ARRAY_LEN(error_modes) && !str_is(errors, error_modes[mode]))
        mode++;
    if (mode == ARRAY_LEN(error_modes)) {
        req_fail(r, ERR_INVALID, "/errors", "must be refuse, stop or skip");
        return;
    }
    struct import *im = import_new(r, (enum import_errors)mode);
    r->user = im;
    r->on_close = on_close;
    db_call_init(&im->call, STMT_import_begin, r->who.tenant, on_begun);
    db_int(&im->call, r->arena, r->project->id);
    db_int(&im->call, r->arena, r->who.user);
    db_text(&im->call, r->arena, str_of(error_modes[mode]));
    db_text(&im->call, r->arena, im->checking ? STR("checking") : STR("running"));
    db_submit(r->ctx->db, &im->call);
}
