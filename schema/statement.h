/* Every SQL statement of the programs: schema/queries/<noun>_<verb>.sql, one a file, compiled in by
 * sqlgen. The name is the prepared statement's name, the metric label and the log field. A file
 * opens with
 *   -- what it does, in a sentence
 *   -- users: server stream upkeep export cli
 * and holds one statement with $n parameters, each cast once ($1::bigint), so that the types are in
 * the text. */
#ifndef SCHEMA_STATEMENT_H
#define SCHEMA_STATEMENT_H

#include <stddef.h>

enum statement_user {
    STATEMENT_SERVER = 1,
    STATEMENT_STREAM = 2,
    STATEMENT_UPKEEP = 4,
    STATEMENT_EXPORT = 8,
    STATEMENT_CLI = 16,
};

enum statement {
#define STATEMENT(name, users, nparams, text) STMT_##name,
#include "statements.inc"
#undef STATEMENT
    STMT_COUNT
};

const char *statement_name(enum statement s);
const char *statement_text(enum statement s);
unsigned statement_users(enum statement s);
int statement_nparams(enum statement s);

#endif
