/* Owns `annotate tenant quota`: what a tenant may use at most. Never enforces it: the database
 * does. */
#include <inttypes.h>
#include <stdio.h>

#include "base/json_scan.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "cli/tenant.h"

static const char *const names[] = {"projects", "users", "tasks", "bytes", "tokens"};

enum { QUOTAS = ARRAY_LEN(names) };

/* `text` is a number or "none". */
static bool set(struct owner *o, const char *name, const char *text)
{
    bool none = str_is(str_of(text), "none");
    struct db_call c = owner_call(o, none ? STMT_quota_drop : STMT_quota_set);
    int64_t most = 0;

    if (!none && (!str_int(str_of(text), &most) || most < 0 || most > JSON_INT_MAX)) {
        fail("--%s must be a number from 0, or none.", name);
        return false;
    }
    db_text(&c, o->arena, str_of(name));
    if (!none)
        db_int(&c, o->arena, most);
    return owner_run(o, &c) != NULL;
}

static int quota_in(struct owner *o, const char *const *values)
{
    for (int i = 0; i < QUOTAS; i++)
        if (values[i] && !set(o, names[i], values[i]))
            return 1;
    struct db_call c = owner_call(o, STMT_quota_list);
    const PGresult *r = owner_run(o, &c);
    if (!r)
        return 1;
    for (int i = 0; i < PQntuples(r); i++)
        printf("%s\t%s\t%s\n", PQgetvalue(r, i, 0),
            db_is_null(r, i, 1) ? "none" : PQgetvalue(r, i, 1),
            db_is_null(r, i, 2) ? "-" : PQgetvalue(r, i, 2));
    return 0;
}

int tenant_quota(int argc, char **argv)
{
    const char *values[QUOTAS] = {NULL};
    struct opt opts[QUOTAS] = {{0}};
    struct owner o;

    for (int i = 0; i < QUOTAS; i++)
        opts[i] = (struct opt){names[i], .text = &values[i]};
    if (args_read(argc, argv, opts, QUOTAS, 1, 1) < 0)
        return 2;
    int status = owner_open(&o, argv[1]) ? quota_in(&o, values) : 1;
    owner_close(&o);
    return status;
}
