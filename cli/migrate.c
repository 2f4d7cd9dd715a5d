/* Owns `annotate migrate`. Never holds SQL: schema/ does, and what was applied is never edited. */
#include "schema/migrate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "io/db.h"

/* How many migrations the database has; -1 after saying why that cannot be known. */
static long applied_count(PGconn *db)
{
    PGresult *r = PQexec(db, statement_text(STMT_migration_count));
    long n = db_err(r) ? -1 : (long)db_get_int(r, 0, 0);

    if (n < 0)
        fail("the database refused: %s", PQerrorMessage(db));
    PQclear(r);
    return n;
}

static void print_migrations(long from, long applied)
{
    for (size_t i = (size_t)from; i < migration_count(); i++) {
        const struct migration *m = migration_at(i);
        printf("%04d_%s\t%s\n", m->number, m->name, (long)i < applied ? "applied" : "missing");
    }
}

static int dry_run(PGconn *db)
{
    long n = applied_count(db);

    if (n >= 0)
        print_migrations(n, n);
    return n < 0;
}

/* 0 only when a server of this version would start; migrate_verify says why not. */
static int status(PGconn *db)
{
    long n = applied_count(db);

    if (n < 0)
        return 1;
    print_migrations(0, n);
    if (n == 0)
        return fail("the database is empty; run `annotate migrate`.");
    return migrate_verify(db) ? 1 : 0;
}

static int apply(PGconn *db)
{
    int applied;

    if (migrate(db, &applied))
        return fail("the database was left as it was before the migration named above.");
    printf("%d applied, %zu in all\n", applied, migration_count());
    return 0;
}

static int adopt(PGconn *db)
{
    if (migrate_verify(db))
        return fail("apply the migrations first: `annotate migrate`.");
    PGresult *r = PQexec(db, statement_text(STMT_database_adopt));
    bool good = !db_err(r);

    if (good)
        printf("%lld events belong to this database now; statistics are counted again\n",
            (long long)db_get_int(r, 0, 0));
    else
        fail("nothing was changed: %s", PQerrorMessage(db));
    PQclear(r);
    return !good;
}

static int (*mode_of(bool dry, bool ask, bool restored))(PGconn *db)
{
    return dry ? dry_run : ask ? status : restored ? adopt : apply;
}

int cmd_migrate(int argc, char **argv)
{
    bool dry = false, ask = false, restored = false;
    const struct opt opts[] = {
        {"dry-run", .flag = &dry}, {"status", .flag = &ask}, {"restored", .flag = &restored}};

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (dry + ask + restored > 1)
        return misuse("migrate", "--dry-run, --status and --restored exclude each other.");
    /* A bare connection: the statements cannot be prepared before the tables are there. */
    PGconn *db = PQconnectdb(config_str(CONFIG_db_owner));
    int result = 1;
    if (PQstatus(db) != CONNECTION_OK)
        fail("the database cannot be reached; check --db-owner: %s", PQerrorMessage(db));
    else
        result = mode_of(dry, ask, restored)(db);
    PQfinish(db);
    return result;
}
