/* Forward-only migrations, compiled in from schema/migrations/NNNN_name.sql: applied in order, each
 * in a transaction of its own with its row in schema_migration (number, name, sha256), under one
 * advisory lock. A migration whose text has changed since it was applied, or a database newer than
 * this program, is refused. */
#ifndef SCHEMA_MIGRATE_H
#define SCHEMA_MIGRATE_H

#include <libpq-fe.h>
#include <stddef.h>

#include "base/err.h" /* MUSTCHECK */

struct migration {
    int number;
    const char *name, *text;
};

size_t migration_count(void);
const struct migration *migration_at(size_t i);

/* Applies what is missing; *applied = how many. Logs each. Blocking: for the CLI and start-up. */
enum err migrate(PGconn *db, int *applied) MUSTCHECK;
/* ERR_OK when the database is exactly at this program's version. */
enum err migrate_verify(PGconn *db) MUSTCHECK;

#endif
