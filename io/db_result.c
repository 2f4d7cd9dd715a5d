/* Owns reading results and naming their errors. Never keeps a PGresult. */
#include <stdlib.h>

#include "io/db.h"

bool db_is_null(const PGresult *r, int row, int col)
{
    return PQgetisnull(r, row, col);
}

struct str db_get_str(const PGresult *r, int row, int col)
{
    return (struct str){PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col)};
}

int64_t db_get_int(const PGresult *r, int row, int col)
{
    int64_t v = 0;

    if (!db_is_null(r, row, col))
        BUG_ON(!str_int(db_get_str(r, row, col), &v));
    return v;
}

double db_get_float(const PGresult *r, int row, int col)
{
    return db_is_null(r, row, col) ? 0 : strtod(PQgetvalue(r, row, col), NULL);
}

bool db_get_bool(const PGresult *r, int row, int col)
{
    return str_is(db_get_str(r, row, col), "t");
}

static int nibble(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0'; /* PostgreSQL prints lower case */
}

bool db_get_bytes(const PGresult *r, int row, int col, void *out, size_t n)
{
    struct str s = db_get_str(r, row, col);
    unsigned char *p = out;

    if (s.n != 2 + 2 * n || s.p[0] != '\\' || s.p[1] != 'x')
        return false;
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(nibble(s.p[2 + 2 * i]) << 4 | nibble(s.p[3 + 2 * i]));
    return true;
}

size_t db_get_ints(const PGresult *r, int row, int col, struct arena *a, int64_t **out)
{
    struct str s = db_get_str(r, row, col), rest, part;
    size_t n = 0, max = 1;

    *out = NULL;
    if (s.n <= 2) /* NULL or {} */
        return 0;
    for (size_t i = 0; i < s.n; i++)
        max += s.p[i] == ',';
    *out = arena_array(a, max, sizeof(**out));
    rest = (struct str){s.p + 1, s.n - 2};
    while (n < max && str_split(&rest, ',', &part) && str_int(part, &(*out)[n]))
        n++;
    return n;
}

static const struct {
    const char *prefix; /* of the SQLSTATE, longest first where they overlap */
    enum err err;
} sqlstates[] = {
    {"AQ001", ERR_QUOTA}, /* schema/migrations/0011_quota.sql */
    {"23505", ERR_EXISTS},
    {"23503", ERR_NOT_FOUND},
    {"23514", ERR_CONFLICT},
    {"40001", ERR_BUSY},
    {"40P01", ERR_BUSY},
    {"55P03", ERR_BUSY},
    {"57014", ERR_BUSY},
    {"53", ERR_BUSY},
    {"22", ERR_INVALID},
    {"08", ERR_UNAVAILABLE},
    {"57P", ERR_UNAVAILABLE},
    {"25006", ERR_UNAVAILABLE},
};

enum err db_err(const PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);
    const char *state;

    if (s == PGRES_TUPLES_OK || s == PGRES_COMMAND_OK)
        return ERR_OK;
    state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    if (!state)
        return ERR_UNAVAILABLE;
    for (size_t i = 0; i < ARRAY_LEN(sqlstates); i++)
        if (strncmp(state, sqlstates[i].prefix, strlen(sqlstates[i].prefix)) == 0)
            return sqlstates[i].err;
    return ERR_INTERNAL;
}
