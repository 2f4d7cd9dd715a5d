/* Owns `annotate tenant`: who rents a part of this service. Never touches a tenant's own
 * rows: tenant_delete.c does. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "cli/tenant.h"

static int create_in(struct owner *o, const char *name, bool if_missing)
{
    struct db_call c = owner_call(o, STMT_tenant_create), find = owner_call(o, STMT_tenant_find);

    db_text(&c, o->arena, str_of(name));
    const PGresult *r = owner_run(o, &c);
    if (!r)
        return 1;
    if (PQntuples(r) == 0) {
        if (!if_missing)
            return fail("there is a tenant \"%s\" already.", name);
        db_text(&find, o->arena, str_of(name));
        if (!(r = owner_run(o, &find)) || PQntuples(r) == 0)
            return 1;
    }
    printf("%" PRId64 "\n", db_get_int(r, 0, 0));
    return 0;
}

static int create(int argc, char **argv)
{
    bool if_missing = false;
    const struct opt opts[] = {{"if-missing", .flag = &if_missing}};
    struct owner o;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 1, 1) < 0)
        return 2;
    if (!owner_text("a tenant's name", argv[1], 1, 200))
        return 1;
    int status = owner_open(&o, NULL) ? create_in(&o, argv[1], if_missing) : 1;
    owner_close(&o);
    return status;
}

static int list_in(struct owner *o)
{
    struct db_call c = owner_call(o, STMT_tenant_list);
    const PGresult *r = owner_run(o, &c);

    if (!r)
        return 1;
    for (int i = 0; i < PQntuples(r); i++)
        printf("%s\t%s\t%s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2));
    return 0;
}

static int list(int argc, char **argv)
{
    struct owner o;

    if (args_read(argc, argv, NULL, 0, 0, 0) < 0)
        return 2;
    int status = owner_open(&o, NULL) ? list_in(&o) : 1;
    owner_close(&o);
    return status;
}

int cmd_tenant(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"create", create}, {"list", list}, {"quota", tenant_quota}, {"delete", tenant_delete}};

    return args_verb(argc, argv, verbs, ARRAY_LEN(verbs));
}
