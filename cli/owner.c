/* Owns the administrator's connection. Never touches a row outside the tenant it was opened for. */
#include "cli/owner.h"

#include "base/config.h"
#include "base/utf8.h"
#include "cli/args.h"
#include "cli/say.h"

static bool find_tenant(struct owner *o, const char *name)
{
    struct db_call c = owner_call(o, STMT_tenant_find);

    db_text(&c, o->arena, str_of(name));
    const PGresult *r = owner_run(o, &c);
    if (!r)
        return false;
    if (PQntuples(r) == 0) {
        fail("there is no tenant \"%s\"; `annotate tenant list` shows those there are.", name);
        return false;
    }
    o->tenant = db_get_int(r, 0, 0);
    return true;
}

bool owner_open(struct owner *o, const char *tenant)
{
    *o = (struct owner){.arena = arena_new()};
    if (db_sync_open(&o->db, config_str(CONFIG_db_owner), STATEMENT_CLI)) {
        fail("the database cannot be used; check --db-owner, and whether `annotate migrate` has "
             "been run.");
        return false;
    }
    return !tenant || find_tenant(o, tenant);
}

void owner_close(struct owner *o)
{
    arena_free(o->arena);
    db_sync_close(o->db);
    *o = (struct owner){0};
}

struct db_call owner_call(const struct owner *o, enum statement stmt)
{
    struct db_call c;

    db_call_init(&c, stmt, o->tenant, NULL);
    return c;
}

static void clear(void *result)
{
    PQclear(result);
}

const PGresult *owner_run(struct owner *o, struct db_call *c)
{
    PGresult *r = NULL;
    enum err e = db_sync_run(o->db, c, &r);

    if (r)
        arena_defer(o->arena, clear, r);
    if (!e)
        return r;
    const char *why = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    fail("the database refused: %s.", why ? why : "the connection was lost");
    return NULL;
}

static int list_pages(
    struct owner *o, enum statement page, void (*print)(const PGresult *r, int row))
{
    int64_t after = 0;
    const PGresult *r;

    do {
        struct db_call c = owner_call(o, page);
        db_int(&c, o->arena, after);
        if (!(r = owner_run(o, &c)))
            return 1;
        for (int i = 0; i < PQntuples(r); i++) {
            print(r, i);
            after = db_get_int(r, i, 0);
        }
    } while (PQntuples(r) > 0);
    return 0;
}

int owner_list(
    int argc, char **argv, enum statement page, void (*print)(const PGresult *r, int row))
{
    const char *tenant = NULL;
    const struct opt opts[] = {{"tenant", .text = &tenant, .required = true}};
    struct owner o;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    int status = owner_open(&o, tenant) ? list_pages(&o, page, print) : 1;
    owner_close(&o);
    return status;
}

bool owner_text(const char *what, const char *text, size_t min, size_t max)
{
    struct str s = str_of(text);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80; /* not a continuation byte */
    if (utf8_valid(s) == s.n && n >= min && n <= max)
        return true;
    fail("%s is UTF-8 text of %zu to %zu characters.", what, min, max);
    return false;
}

int64_t owner_find_user(struct owner *o, const char *email)
{
    struct db_call c = owner_call(o, STMT_user_admin_find);

    db_text(&c, o->arena, str_of(email));
    const PGresult *r = owner_run(o, &c);
    if (!r)
        return 0;
    if (PQntuples(r) == 0) {
        fail("the tenant has no user \"%s\"; `annotate user list` shows those there are.", email);
        return 0;
    }
    return db_get_int(r, 0, 0);
}
