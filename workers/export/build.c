/* Owns the steps of building a release. Memory is one page of items, whatever the release's size
 * (I9). */
#include "workers/export/build.h"

#include "base/log.h"
#include "base/utf8.h"
#include "core/merkle.h"
#include "core/release_item.h"
#include "core/split.h"
#include "workers/export/choose.h"

enum { LINE_MAX_BYTES = 1 << 20 };

struct build {
    struct db_sync *db;
    int64_t tenant, release, project;
    struct split split;
    PGresult *order; /* the row of release_next */
    int64_t counts[SPLIT_PARTS], items;
    struct sha256 root;
    char why[512];
};

static enum err run(struct build *b, struct db_call *c, PGresult **res)
{
    enum err e = db_sync_run(b->db, c, res);

    if (e)
        snprintf(b->why, sizeof(b->why), "%s: %s", statement_name(c->stmt), err_title(e));
    return e;
}

/* Columns of release_next. */
enum { COL_TENANT, COL_ID, COL_PROJECT, COL_SPLIT, COL_SALT, COL_FILTER, COL_GROUP_BY, COL_PIN_BY };

static struct db_call call_of(const struct build *b, struct arena *a, enum statement s)
{
    struct db_call c;

    db_call_init(&c, s, 0, NULL);
    db_int(&c, a, b->tenant);
    db_int(&c, a, b->release);
    return c;
}

/* ---- the steps */

static enum err take(struct build *b, bool *found)
{
    struct db_call c;
    char pointer[128], why[128];
    enum err e;

    db_call_init(&c, STMT_release_next, 0, NULL);
    e = run(b, &c, &b->order);
    *found = !e && PQntuples(b->order) == 1;
    if (*found) {
        b->tenant = db_get_int(b->order, 0, COL_TENANT);
        b->release = db_get_int(b->order, 0, COL_ID);
        b->project = db_get_int(b->order, 0, COL_PROJECT);
        e = split_parse(&b->split, db_get_str(b->order, 0, COL_SPLIT), pointer, why);
        if (e)
            snprintf(b->why, sizeof(b->why), "split%s: %s", pointer, why);
    }
    return e;
}

static enum err freeze(struct build *b, struct arena *a)
{
    PGresult *res = NULL;
    enum err e;

    if (!db_is_null(b->order, 0, COL_FILTER)) {
        e = choose_by_filter(
            b->db, b->tenant, b->release, b->project, db_get_str(b->order, 0, COL_FILTER));
        if (e)
            snprintf(b->why, sizeof(b->why), "the filter: %s", err_title(e));
        return e;
    }
    struct db_call c = call_of(b, a, STMT_release_freeze);
    db_int(&c, a, b->project);
    e = run(b, &c, &res);
    PQclear(res);
    return e;
}

/* The part that a task is pinned to by name, or -1. */
static int pinned(const struct split *s, struct str name)
{
    for (int i = 0; i < s->n; i++)
        if (str_is(name, s->parts[i].name))
            return i;
    return -1;
}

static enum err assign_page(struct build *b, struct arena *a, const PGresult *keys)
{
    struct db_call c = call_of(b, a, STMT_release_assign);
    struct str salt = db_get_str(b->order, 0, COL_SALT);
    struct db_array tasks, splits;
    PGresult *res = NULL;

    db_array_init(&tasks, DB_INT8);
    db_array_init(&splits, DB_TEXT);
    for (int row = 0; row < PQntuples(keys); row++) {
        int part = pinned(&b->split, db_get_str(keys, row, 2));
        if (part < 0)
            part = split_of(&b->split, salt, db_get_str(keys, row, 1));
        db_array_int(&tasks, db_get_int(keys, row, 0));
        db_array_text(&splits, str_of(b->split.parts[part].name));
        b->counts[part]++;
    }
    db_array_bind(&tasks, &c);
    db_array_bind(&splits, &c);
    enum err e = run(b, &c, &res);
    PQclear(res);
    db_array_release(&tasks);
    db_array_release(&splits);
    return e;
}

static void bind_path(struct build *b, struct db_call *c, struct arena *a, int col)
{
    if (db_is_null(b->order, 0, col))
        db_null(c);
    else
        db_text(c, a, db_get_str(b->order, 0, col));
}

static enum err assign(struct build *b)
{
    int64_t after = 0;
    int n = 1;
    enum err e = ERR_OK;

    while (!e && n) {
        struct arena *a = arena_new();
        struct db_call c = call_of(b, a, STMT_release_keys);
        PGresult *keys = NULL;
        db_int(&c, a, after);
        bind_path(b, &c, a, COL_GROUP_BY);
        bind_path(b, &c, a, COL_PIN_BY);
        e = run(b, &c, &keys);
        n = e ? 0 : PQntuples(keys);
        if (n) {
            after = db_get_int(keys, n - 1, 0);
            e = assign_page(b, a, keys);
        }
        PQclear(keys);
        arena_free(a);
    }
    return e;
}

/* A comma-separated list of hashes into the arena; false when one is none. */
static bool parse_assets(struct str list, struct arena *a, struct release_item *item)
{
    size_t max = list.n / SHA256_HEX + 1;
    struct sha256 *out = arena_array(a, max, sizeof(*out));
    struct str part;

    item->assets = out;
    while (list.n && str_split(&list, ',', &part))
        if (item->nassets == max || !sha256_parse(part, &out[item->nassets++]))
            return false;
    return true;
}

static enum err add_line(struct release_tree *tree, const struct release_item *item)
{
    struct buf line;
    enum err e;

    buf_init(&line, LINE_MAX_BYTES);
    release_item_line(item, &line);
    e = buf_err(&line) ? buf_err(&line) : release_tree_add(tree, item->key, buf_view(&line));
    buf_release(&line);
    return e;
}

static enum err add_row(struct build *b, struct release_tree *tree, const PGresult *res, int row)
{
    struct release_item item = {.key = db_get_str(res, row, 0),
        .label_id = db_get_int(res, row, 1),
        .split = db_get_str(res, row, 3)};
    struct arena *a = arena_new();
    enum err e = ERR_CORRUPT;

    if (db_get_bytes(res, row, 2, item.label.b, SHA256_LEN) &&
        parse_assets(db_get_str(res, row, 4), a, &item))
        e = add_line(tree, &item);
    arena_free(a);
    if (e)
        snprintf(b->why, sizeof(b->why), "item %.*s: %s", STR_FMT(item.key),
            e == ERR_INVALID ? "two tasks have this key" : err_title(e));
    b->items++;
    return e;
}

static enum err compute_root(struct build *b, struct arena *a)
{
    struct db_call open = call_of(b, a, STMT_release_manifest);
    struct release_tree tree;
    PGresult *res = NULL;
    enum err e = run(b, &open, &res);
    int n = 1;

    PQclear(res);
    release_tree_init(&tree, NULL);
    while (!e && n) {
        struct db_call next;
        db_call_init(&next, STMT_release_manifest_fetch, 0, NULL);
        e = run(b, &next, &res);
        n = e ? 0 : PQntuples(res);
        for (int row = 0; !e && row < n; row++)
            e = add_row(b, &tree, res, row);
        PQclear(res);
    }
    b->root = release_tree_root(&tree);
    return e;
}

static void put_splits(const struct build *b, struct buf *out)
{
    buf_putc(out, '{');
    for (int i = 0; i < b->split.n; i++) {
        buf_json(out, str_of(b->split.parts[i].name));
        buf_printf(out, ":%lld,", (long long)b->counts[i]);
    }
    buf_chop(out, ',');
    buf_putc(out, '}');
}

/* What a manager should look at before anybody trains with it. */
static void put_warnings(const struct build *b, struct buf *out)
{
    buf_putc(out, '[');
    for (int i = 0; i < b->split.n; i++)
        if (b->counts[i] == 0)
            buf_printf(out, "\"the split %s is empty\",", b->split.parts[i].name);
    buf_chop(out, ',');
    buf_putc(out, ']');
}

static enum err read_card(struct build *b, struct arena *a, PGresult **card)
{
    struct db_call c = call_of(b, a, STMT_release_card);

    return run(b, &c, card);
}

static enum err announce(struct build *b, struct arena *a)
{
    struct db_call c = call_of(b, a, STMT_release_ready);
    PGresult *res = NULL, *card = NULL;
    struct buf splits, warnings;
    enum err e = read_card(b, a, &card);

    buf_init(&splits, BUF_MAX_LINE);
    buf_init(&warnings, BUF_MAX_LINE);
    put_splits(b, &splits);
    put_warnings(b, &warnings);
    if (!e) {
        db_bytes(&c, b->root.b, SHA256_LEN);
        db_int(&c, a, b->items);
        db_text(&c, a, buf_view(&splits));
        db_text(&c, a, buf_view(&warnings));
        db_text(&c, a, db_get_str(card, 0, 0));
        db_text(&c, a, db_get_str(card, 0, 1));
        e = run(b, &c, &res);
    }
    if (!e && PQntuples(res) != 1)
        e = ERR_CONFLICT;
    PQclear(res);
    PQclear(card);
    buf_release(&splits);
    buf_release(&warnings);
    return e;
}

static enum err all_steps(struct build *b, bool *found)
{
    struct arena *a = arena_new();
    enum err e = take(b, found);

    if (!e && *found) {
        if (!(e = freeze(b, a)) && !(e = assign(b)) && !(e = compute_root(b, a)))
            e = announce(b, a);
    }
    PQclear(b->order);
    arena_free(a);
    return e;
}

static enum err mark_failed(struct build *b)
{
    struct arena *a = arena_new();
    struct db_call c = call_of(b, a, STMT_release_failed);
    PGresult *res = NULL;

    struct str why = str_of(b->why);
    why.n = utf8_valid(why); /* it may have been cut in the middle of a character */
    db_text(&c, a, why);
    enum err e = db_sync_run(b->db, &c, &res);
    PQclear(res);
    arena_free(a);
    return e;
}

enum err build_next(struct db_sync *db, bool *did)
{
    struct build b = {.db = db};
    char hex[SHA256_HEX + 1];
    enum err e;

    *did = false;
    /* One snapshot for the items and the keys that are read back. */
    if ((e = db_sync_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ")))
        return e;
    e = all_steps(&b, did);
    if (!e) {
        e = db_sync_exec(db, "COMMIT");
        sha256_hex(b.root, hex);
        if (!e && *did)
            log_info("release_ready", "release %lld: %lld items, root %s", (long long)b.release,
                (long long)b.items, hex);
        return e;
    }
    enum err undo = db_sync_exec(db, "ROLLBACK");
    if (undo || e == ERR_UNAVAILABLE || e == ERR_BUSY || !*did)
        return undo ? undo : e;
    log_error("release_failed", "release %lld: %s", (long long)b.release, b.why);
    return mark_failed(&b);
}
