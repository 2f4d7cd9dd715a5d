/* Owns the blocking connection of workers and the CLI. Never used on an event loop. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "io/db.h"

struct db_sync {
    PGconn *pg;
    unsigned users;
    char *conninfo;
};

static enum err prepare(struct db_sync *s)
{
    for (int i = 0; i < STMT_COUNT; i++) {
        enum statement stmt = (enum statement)i;
        if (!(statement_users(stmt) & s->users))
            continue;
        PGresult *r = PQprepare(s->pg, statement_name(stmt), statement_text(stmt), 0, NULL);
        enum err e = db_err(r);
        if (e)
            log_error("db_prepare", "%s: %s", statement_name(stmt), PQerrorMessage(s->pg));
        PQclear(r);
        if (e)
            return e;
    }
    return ERR_OK;
}

static enum err connect_now(struct db_sync *s)
{
    PQfinish(s->pg);
    s->pg = PQconnectdb(s->conninfo);
    if (PQstatus(s->pg) != CONNECTION_OK) {
        log_error("db_connect", "%s", PQerrorMessage(s->pg));
        return ERR_UNAVAILABLE;
    }
    return prepare(s);
}

enum err db_sync_open(struct db_sync **out, const char *conninfo, unsigned users)
{
    struct db_sync *s = calloc(1, sizeof(*s));
    enum err e;

    BUG_ON(!s);
    s->users = users;
    s->conninfo = strdup(conninfo);
    BUG_ON(!s->conninfo);
    if ((e = connect_now(s))) {
        db_sync_close(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

void db_sync_close(struct db_sync *s)
{
    if (!s)
        return;
    PQfinish(s->pg);
    free(s->conninfo);
    free(s);
}

PGconn *db_sync_conn(struct db_sync *s)
{
    return s->pg;
}

/* BEGIN and COMMIT around the tenant and the statement, unless the caller has a transaction open
 * already. */
static PGresult *run_group(struct db_sync *s, const struct db_call *c, bool *sent)
{
    bool own = PQtransactionStatus(s->pg) == PQTRANS_IDLE && c->tenant;
    PGresult *r = own ? PQexec(s->pg, "BEGIN") : NULL;
    char text[24];
    const char *tenant[1] = {text};

    *sent = false;
    if (own && db_err(r))
        return r;
    PQclear(r);
    if (c->tenant) {
        snprintf(text, sizeof(text), "%lld", (long long)c->tenant);
        r = PQexecPrepared(s->pg, statement_name(STMT_tenant_set), 1, tenant, NULL, NULL, 0);
        if (db_err(r))
            return r;
        PQclear(r);
    }
    *sent = true;
    r = PQexecPrepared(
        s->pg, statement_name(c->stmt), c->nparams, c->value, c->length, c->format, 0);
    if (own) {
        PGresult *end = PQexec(s->pg, db_err(r) ? "ROLLBACK" : "COMMIT");
        if (!db_err(r) && db_err(end)) {
            PQclear(r);
            return end;
        }
        PQclear(end);
    }
    return r;
}

enum err db_sync_run(struct db_sync *s, struct db_call *c, PGresult **out)
{
    bool sent, in_transaction = PQtransactionStatus(s->pg) != PQTRANS_IDLE;
    PGresult *r;
    enum err e;

    BUG_ON(c->nparams != statement_nparams(c->stmt));
    r = run_group(s, c, &sent);
    if (PQstatus(s->pg) == CONNECTION_BAD && !sent && !in_transaction) {
        PQclear(r);
        *out = NULL;
        if ((e = connect_now(s)))
            return e;
        r = run_group(s, c, &sent);
    }
    *out = r;
    e = db_err(r);
    if (e)
        log_warn("db_error", "%s: %s", statement_name(c->stmt), PQerrorMessage(s->pg));
    return e;
}

enum err db_sync_exec(struct db_sync *s, const char *sql)
{
    PGresult *r = PQexec(s->pg, sql);
    enum err e = db_err(r);

    PQclear(r);
    return e;
}
