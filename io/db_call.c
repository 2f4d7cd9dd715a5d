/* Owns building a call: its parameters and arrays. Never sends anything. */
#include <arpa/inet.h>
#include <endian.h>

#include "io/db.h"

void db_call_init(struct db_call *c, enum statement stmt, int64_t tenant,
    void (*done)(struct db_call *, enum err, const PGresult *))
{
    *c = (struct db_call){.stmt = stmt, .tenant = tenant, .done = done};
}

static void add(struct db_call *c, const char *value, size_t n, int format)
{
    BUG_ON(c->nparams == DB_MAX_PARAMS || n > INT32_MAX);
    c->value[c->nparams] = value;
    c->length[c->nparams] = (int)n;
    c->format[c->nparams++] = format;
}

void db_int(struct db_call *c, struct arena *a, int64_t v)
{
    char *text = arena_printf(a, "%lld", (long long)v);

    add(c, text, strlen(text), 0);
}

void db_text(struct db_call *c, struct arena *a, struct str s)
{
    if (s.p)
        add(c, arena_copy(a, s.p, s.n), s.n, 0);
    else
        db_null(c);
}

void db_bytes(struct db_call *c, const void *p, size_t n)
{
    add(c, p, n, 1);
}

void db_null(struct db_call *c)
{
    add(c, NULL, 0, 0);
}

void db_bool(struct db_call *c, bool v)
{
    add(c, v ? "t" : "f", 1, 0);
}

/* Element types by OID; fixed for all time in PostgreSQL's catalog. */
static const uint32_t elem_oid[] = {
    [DB_INT8] = 20,
    [DB_INT4] = 23,
    [DB_TEXT] = 25,
    [DB_BYTEA] = 17,
    [DB_FLOAT8] = 701,
    [DB_BOOL] = 16,
};

static void put32(struct buf *b, uint32_t v)
{
    v = htonl(v);
    buf_add(b, &v, sizeof(v));
}

/* Header of a binary array: dimensions, has-null flag, element type, length, lower bound; the flag
 * and the length are written by db_array_bind. */
void db_array_init(struct db_array *a, enum db_elem elem)
{
    buf_init(&a->buf, BUF_MAX_BATCH);
    a->elem = elem;
    a->n = 0;
    a->has_null = false;
    put32(&a->buf, 1);
    put32(&a->buf, 0);
    put32(&a->buf, elem_oid[elem]);
    put32(&a->buf, 0);
    put32(&a->buf, 1);
}

void db_array_int(struct db_array *a, int64_t v)
{
    a->n++;
    if (a->elem == DB_INT4) {
        put32(&a->buf, 4);
        put32(&a->buf, (uint32_t)v);
        return;
    }
    uint64_t big = htobe64((uint64_t)v);
    put32(&a->buf, sizeof(big));
    buf_add(&a->buf, &big, sizeof(big));
}

void db_array_text(struct db_array *a, struct str s)
{
    if (!s.p) {
        db_array_null(a);
        return;
    }
    a->n++;
    put32(&a->buf, (uint32_t)s.n);
    buf_str(&a->buf, s);
}

void db_array_float(struct db_array *a, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    bits = htobe64(bits);
    a->n++;
    put32(&a->buf, sizeof(bits));
    buf_add(&a->buf, &bits, sizeof(bits));
}

void db_array_bool(struct db_array *a, bool v)
{
    a->n++;
    put32(&a->buf, 1);
    buf_putc(&a->buf, v ? 1 : 0);
}

void db_array_null(struct db_array *a)
{
    a->n++;
    a->has_null = true;
    put32(&a->buf, UINT32_MAX);
}

void db_array_bind(struct db_array *a, struct db_call *c)
{
    uint32_t flag = htonl(a->has_null ? 1 : 0), n = htonl((uint32_t)a->n);

    BUG_ON(buf_err(&a->buf) != ERR_OK); /* batches are cut by bytes long before */
    memcpy(a->buf.p + 4, &flag, sizeof(flag));
    memcpy(a->buf.p + 12, &n, sizeof(n));
    db_bytes(c, a->buf.p, a->buf.n);
}

void db_array_release(struct db_array *a)
{
    buf_release(&a->buf);
}
