/* Owns the compiled-in statements. Never talks to a database. */
#include "schema/statement.h"

#include "base/err.h"

struct row {
    const char *name, *text;
    unsigned users;
    int nparams;
};

static const struct row rows[] = {
#define STATEMENT(name, users, nparams, text) [STMT_##name] = {#name, text, users, nparams},
#include "statements.inc"
#undef STATEMENT
};

const char *statement_name(enum statement s)
{
    return rows[s].name;
}

const char *statement_text(enum statement s)
{
    return rows[s].text;
}

unsigned statement_users(enum statement s)
{
    return rows[s].users;
}

int statement_nparams(enum statement s)
{
    return rows[s].nparams;
}
