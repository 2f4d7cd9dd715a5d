/* Owns applying schema/migrations. Never goes backwards and never edits what was applied. */
#include "schema/migrate.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"

static const struct migration migrations[] = {
#define MIGRATION(number, name, text) {number, #name, text},
#include "migrations.inc"
#undef MIGRATION
};

enum { LOCK_KEY = 0x616e6e6f }; /* "anno": one migrator at a time */

size_t migration_count(void)
{
    return ARRAY_LEN(migrations);
}

const struct migration *migration_at(size_t i)
{
    return &migrations[i];
}

static enum err run(PGconn *db, const char *sql)
{
    PGresult *r = PQexec(db, sql);
    ExecStatusType s = PQresultStatus(r);
    enum err e = s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK ? ERR_OK : ERR_UNAVAILABLE;

    if (e)
        log_error("migrate", "%s", PQerrorMessage(db));
    PQclear(r);
    return e;
}

static void text_hash(const struct migration *m, char *hex)
{
    sha256_hex(sha256_of(str_of(m->text)), hex);
}

/* The rows of schema_migration must be the beginning of our list, to the hash. *have = how many. */
static enum err compare(PGconn *db, size_t *have)
{
    PGresult *r = PQexec(db, "TABLE schema_migration ORDER BY number");
    enum err e = ERR_OK;

    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        log_error("migrate", "%s", PQerrorMessage(db));
        PQclear(r);
        return ERR_UNAVAILABLE;
    }
    *have = (size_t)PQntuples(r);
    if (*have > migration_count()) {
        log_error("migrate",
            "the database has %zu migrations, this program knows %zu: use a newer one", *have,
            migration_count());
        e = ERR_CONFLICT;
    }
    for (size_t i = 0; !e && i < *have; i++) {
        char hex[SHA256_HEX + 1];
        text_hash(&migrations[i], hex);
        if (strcmp(PQgetvalue(r, (int)i, 2), hex) != 0) {
            log_error("migrate", "migration %d_%s differs from what was applied",
                migrations[i].number, migrations[i].name);
            e = ERR_CONFLICT;
        }
    }
    PQclear(r);
    return e;
}

static enum err apply(PGconn *db, const struct migration *m)
{
    char number[16], hex[SHA256_HEX + 1];
    const char *values[3] = {number, m->name, hex};
    enum err e = run(db, "BEGIN");

    if (e)
        return e;
    snprintf(number, sizeof(number), "%d", m->number);
    text_hash(m, hex);
    PGresult *r =
        PQexecParams(db, "INSERT INTO schema_migration (number, name, sha256) VALUES ($1, $2, $3)",
            3, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        e = ERR_UNAVAILABLE;
    PQclear(r);
    if (!e)
        e = run(db, m->text);
    if (!e)
        e = run(db, "COMMIT");
    if (e) {
        log_error("migrate", "%d_%s failed and was rolled back", m->number, m->name);
        enum err undo = run(db, "ROLLBACK");
        return undo ? undo : e;
    }
    log_info("migrate", "applied %d_%s", m->number, m->name);
    return ERR_OK;
}

enum err migrate(PGconn *db, int *applied)
{
    char sql[128];
    size_t have = 0;
    enum err e;

    *applied = 0;
    snprintf(sql, sizeof(sql), "SELECT pg_advisory_lock(%d)", LOCK_KEY);
    if ((e = run(db, "SET client_min_messages = warning")) || (e = run(db, sql)))
        return e;
    e = run(db,
        "CREATE TABLE IF NOT EXISTS schema_migration (number int PRIMARY KEY, name text NOT NULL,"
        " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
        "GRANT SELECT ON schema_migration TO annotate_api, annotate_worker");
    if (!e)
        e = compare(db, &have);
    for (size_t i = have; !e && i < migration_count(); i++) {
        e = apply(db, &migrations[i]);
        *applied += !e;
    }
    snprintf(sql, sizeof(sql), "SELECT pg_advisory_unlock(%d)", LOCK_KEY);
    enum err unlock = run(db, sql);
    return e ? e : unlock;
}

enum err migrate_verify(PGconn *db)
{
    size_t have;
    enum err e = compare(db, &have);

    if (e)
        return e;
    if (have < migration_count()) {
        log_error("migrate", "the database lacks %zu migrations: run `annotate migrate`",
            migration_count() - have);
        return ERR_CONFLICT;
    }
    return ERR_OK;
}
