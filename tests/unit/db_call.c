/* Parameters of a call: PostgreSQL's binary arrays byte by byte, and text with its NUL. */
#include <endian.h>

#include "io/db.h"
#include "t.h"

static uint32_t get32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return be32toh(v);
}

/* Header: dimensions, has-null, element type, length, lower bound. */
static void check_header(const struct db_call *c, int param, int has_null, int oid, int n)
{
    const char *p = c->value[param];

    CHECK_INT(c->format[param], 1);
    CHECK_INT(get32(p), 1);
    CHECK_INT(get32(p + 4), has_null);
    CHECK_INT(get32(p + 8), oid);
    CHECK_INT(get32(p + 12), n);
    CHECK_INT(get32(p + 16), 1);
}

TEST(an_array_of_numbers)
{
    struct db_call c;
    struct db_array a;

    db_call_init(&c, STMT_health_check, 0, NULL);
    db_array_init(&a, DB_INT8);
    db_array_int(&a, 1);
    db_array_int(&a, INT64_MIN);
    db_array_null(&a);
    db_array_bind(&a, &c);
    REQUIRE(c.nparams == 1);
    check_header(&c, 0, 1, 20, 3);
    CHECK_INT(c.length[0], 20 + 12 + 12 + 4);
    const char *p = c.value[0] + 20;
    CHECK_INT(get32(p), 8);
    CHECK_INT(get32(p + 4), 0);
    CHECK_INT(get32(p + 8), 1);
    CHECK_INT(get32(p + 16), 0x80000000);
    CHECK_INT(get32(p + 24), UINT32_MAX); /* NULL: no bytes follow */
    db_array_release(&a);
}

TEST(an_array_keeps_every_element_type)
{
    static const struct {
        enum db_elem elem;
        int oid, size;
    } types[] = {{DB_INT8, 20, 8}, {DB_INT4, 23, 4}, {DB_FLOAT8, 701, 8}, {DB_BOOL, 16, 1}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct db_call c;
        struct db_array a;
        db_call_init(&c, STMT_health_check, 0, NULL);
        db_array_init(&a, types[i].elem);
        if (types[i].elem == DB_FLOAT8)
            db_array_float(&a, -0.5);
        else if (types[i].elem == DB_BOOL)
            db_array_bool(&a, true);
        else
            db_array_int(&a, -2);
        db_array_bind(&a, &c);
        check_header(&c, 0, 0, types[i].oid, 1);
        CHECK_INT(get32(c.value[0] + 20), types[i].size);
        CHECK_INT(c.length[0], 24 + types[i].size);
        if (types[i].elem == DB_INT4)
            CHECK_INT(get32(c.value[0] + 24), UINT32_MAX - 1);
        if (types[i].elem == DB_FLOAT8)
            CHECK_INT(get32(c.value[0] + 24), 0xbfe00000);
        if (types[i].elem == DB_BOOL)
            CHECK_INT(c.value[0][24], 1);
        db_array_release(&a);
    }
}

TEST(an_array_of_texts_tells_null_from_empty)
{
    struct db_call c;
    struct db_array a;

    db_call_init(&c, STMT_health_check, 0, NULL);
    db_array_init(&a, DB_TEXT);
    db_array_text(&a, STR(""));
    db_array_text(&a, (struct str){NULL, 0});
    db_array_text(&a, STR("a\"{,}\\b"));
    db_array_bind(&a, &c);
    check_header(&c, 0, 1, 25, 3);
    const char *p = c.value[0] + 20;
    CHECK_INT(get32(p), 0);
    CHECK_INT(get32(p + 4), UINT32_MAX);
    CHECK_INT(get32(p + 8), 7);
    CHECK_STR(((struct str){p + 12, 7}), STR("a\"{,}\\b"));
    db_array_release(&a);
}

TEST(an_empty_array_is_one_of_length_0)
{
    struct db_call c;
    struct db_array a;

    db_call_init(&c, STMT_health_check, 0, NULL);
    db_array_init(&a, DB_BYTEA);
    db_array_bind(&a, &c);
    check_header(&c, 0, 0, 17, 0);
    CHECK_INT(c.length[0], 20);
    db_array_release(&a);
}

TEST(plain_parameters)
{
    struct arena *a = arena_new();
    struct db_call c;
    char text[] = {'a', 'b', 'X'};

    db_call_init(&c, STMT_health_check, 5, NULL);
    db_int(&c, a, INT64_MIN);
    db_text(&c, a, (struct str){text, 2});
    text[0] = '?'; /* it was copied, */
    db_text(&c, a, (struct str){NULL, 0});
    db_text(&c, a, STR(""));
    db_bool(&c, true);
    db_null(&c);
    db_bytes(&c, text, 3);
    CHECK_INT(c.nparams, 7);
    CHECK_INT(c.tenant, 5);
    CHECK_STR(str_of(c.value[0]), STR("-9223372036854775808"));
    CHECK_STR(str_of(c.value[1]), STR("ab")); /* with a NUL at its end */
    CHECK(c.value[2] == NULL && c.value[3] && c.value[5] == NULL);
    CHECK_INT(c.length[3], 0);
    CHECK_STR(str_of(c.value[4]), STR("t"));
    CHECK_INT(c.length[6], 3);
    CHECK_INT(c.format[6], 1);
    arena_free(a);
}
