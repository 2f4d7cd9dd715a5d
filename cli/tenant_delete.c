/* Owns `annotate tenant delete`: takes a tenant out for good, in bounded steps, each its own
 * transaction. Whatever stops it, the same command goes on where it was: the tenant's own row goes
 * last, when nothing else is left. Never meets a row of another tenant (row-level security holds
 * the owner, too). What it did stands on stderr, a line a step. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/config.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "cli/tenant.h"
#include "storage/export_key.h"
#include "storage/pack.h"
#include "storage/upload_key.h"

enum {
    BATCH = 5000, /* rows of a statement */
    /* Servers remember who a token names for 5 s, and a statement under way has 10 s. */
    SETTLE_S = 15,
    ROUNDS = 10,
};

static void tell(const struct owner *o, const char *what, int64_t n)
{
    fprintf(stderr, "tenant %" PRId64 ": %s: %" PRId64 "\n", o->tenant, what, n);
}

/* ---- 1. nobody gets in any more */

static bool cut_off(struct owner *o, int64_t *users)
{
    int64_t n;

    *users = 0;
    do {
        struct db_call c = owner_call(o, STMT_tenant_cut_off);
        const PGresult *r = owner_run(o, &c);
        if (!r)
            return false;
        n = db_get_int(r, 0, 0);
        *users += n;
    } while (n > 0);
    return true;
}

/* ---- 2. the objects, each before its row, so that none is left without one */

struct objects {
    const char *name;
    enum statement some, forget;
    enum err (*remove)(struct blob_store *s, int64_t tenant, struct str id);
};

static enum err remove_pack(struct blob_store *s, int64_t tenant, struct str text)
{
    struct pack_id id;

    return pack_id_parse(text, &id) ? pack_remove(s, tenant, id) : ERR_CORRUPT;
}

static enum err remove_asset(struct blob_store *s, int64_t tenant, struct str text)
{
    struct sha256 hash;
    char key[BLOB_KEY_MAX];

    if (!sha256_parse(text, &hash))
        return ERR_CORRUPT;
    blob_asset_key(tenant, hash, key, sizeof(key));
    return blob_remove(s, key);
}

/* "<job>-<attempt>": this attempt, and those before it that may have left something. */
static enum err remove_export(struct blob_store *s, int64_t tenant, struct str text)
{
    struct str rest = text, job;
    int64_t id, attempts;
    char key[BLOB_KEY_MAX];
    enum err e = ERR_OK;

    if (!str_split(&rest, '-', &job) || !str_int(job, &id) || !str_int(rest, &attempts))
        return ERR_CORRUPT;
    for (int64_t n = attempts; !e && n > 0; n--) {
        export_key(tenant, id, n, key, sizeof(key));
        e = blob_remove(s, key);
    }
    return e;
}

static enum err remove_part(struct blob_store *s, int64_t tenant, struct str text)
{
    char key[BLOB_KEY_MAX];

    upload_key(tenant, text, key, sizeof(key));
    return blob_remove(s, key);
}

static const struct objects kinds[] = {
    {"exports removed", STMT_tenant_exports, STMT_tenant_exports_forget, remove_export},
    {"packs removed", STMT_tenant_packs, STMT_tenant_packs_forget, remove_pack},
    {"media removed", STMT_tenant_assets, STMT_tenant_assets_forget, remove_asset},
    {"parts of uploads removed", STMT_tenant_parts, STMT_tenant_parts_forget, remove_part},
};

/* Some of them; *n is how many. */
static bool remove_some(struct owner *o, struct blob_store *s, const struct objects *k, int *n)
{
    struct db_call some = owner_call(o, k->some), forget = owner_call(o, k->forget);
    const PGresult *r = owner_run(o, &some);
    struct db_array ids;
    bool good = r != NULL;

    *n = r ? PQntuples(r) : 0;
    if (*n == 0)
        return good;
    db_array_init(&ids, DB_TEXT);
    for (int i = 0; i < *n && good; i++) {
        struct str id = db_get_str(r, i, 0);
        enum err e = k->remove(s, o->tenant, id);
        if (e) {
            fail("an object cannot be removed (%.*s): %s.", STR_FMT(id), err_title(e));
            good = false;
        }
        db_array_text(&ids, id);
    }
    if (good) {
        db_array_bind(&ids, &forget);
        good = owner_run(o, &forget) != NULL;
    }
    db_array_release(&ids);
    return good;
}

static bool remove_objects(struct owner *o, struct blob_store *s, int64_t *all)
{
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        int64_t total = 0;
        int n;
        do {
            if (!remove_some(o, s, &kinds[k], &n))
                return false;
            total += n;
        } while (n > 0);
        if (total)
            tell(o, kinds[k].name, total);
        *all += total;
    }
    return true;
}

/* ---- 3. the rows, table by table, those that refer to others first */

static bool delete_from(struct owner *o, struct str table, int64_t *all)
{
    int64_t n, total = 0;

    do {
        struct db_call c = owner_call(o, STMT_tenant_delete_rows);
        db_text(&c, o->arena, table);
        db_int(&c, o->arena, BATCH);
        const PGresult *r = owner_run(o, &c);
        if (!r)
            return false;
        n = db_get_int(r, 0, 0);
        total += n;
    } while (n > 0);
    if (total) {
        fprintf(stderr, "tenant %" PRId64 ": %.*s: %" PRId64 " rows\n", o->tenant, STR_FMT(table),
            total);
        *all += total;
    }
    return true;
}

static bool delete_rows(struct owner *o, int64_t *all)
{
    struct db_call c = owner_call(o, STMT_tenant_tables);
    const PGresult *tables = owner_run(o, &c);

    for (int i = 0; tables && i < PQntuples(tables); i++)
        if (!delete_from(o, db_get_str(tables, i, 0), all))
            return false;
    return tables != NULL;
}

/* ---- all of it */

/* Again until a round finds nothing: what was under way when the logins ended may have written. */
static bool empty(struct owner *o, struct blob_store *s)
{
    for (int round = 0; round < ROUNDS; round++) {
        int64_t n = 0;
        if (!remove_objects(o, s, &n) || !delete_rows(o, &n))
            return false;
        if (n == 0)
            return true;
    }
    fail("somebody still writes for this tenant; stop the servers and workers and run this again.");
    return false;
}

static int delete_in(struct owner *o, struct blob_store *s)
{
    struct db_call c = owner_call(o, STMT_tenant_delete);
    int64_t users;

    if (!cut_off(o, &users))
        return 1;
    tell(o, "users cut off", users);
    if (users) /* else an earlier run has done so, and waited */
        nanosleep(&(struct timespec){.tv_sec = SETTLE_S}, NULL);
    if (!empty(o, s))
        return 1;
    db_int(&c, o->arena, o->tenant);
    if (!owner_run(o, &c))
        return 1;
    fprintf(stderr, "tenant %" PRId64 ": gone\n", o->tenant);
    return 0;
}

int tenant_delete(int argc, char **argv)
{
    bool yes = false;
    const struct opt opts[] = {{"yes", .flag = &yes}};
    struct blob_store blobs;
    struct owner o;
    int status = 1;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 1, 1) < 0)
        return 2;
    if (!yes)
        return misuse(
            "tenant", "this cannot be undone; say --yes to delete \"%s\" and all it has.", argv[1]);
    if (blob_open(&blobs, config_str(CONFIG_blobs)))
        return fail("the blob storage cannot be opened; check --blobs.");
    if (owner_open(&o, argv[1]))
        status = delete_in(&o, &blobs);
    owner_close(&o);
    blob_close(&blobs);
    return status;
}
