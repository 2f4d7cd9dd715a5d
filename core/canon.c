/* Owns RFC 8785. Never changes the value it prints. */
#include "core/canon.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json_tree.h"

/* ECMAScript's Number::toString writes numbers of -7 < exponent < 21 without an exponent. */
enum { MAX_DIGITS = 17, PLAIN_MAX = 21, PLAIN_MIN = -6 };

/* v = 0.d1d2..dn * 10^point */
struct decimal {
    char d[MAX_DIGITS + 1];
    int n, point;
};

/* v rounded to n digits, v > 0; *exact when they read back as v. */
static struct decimal decimal_round(double v, int n, bool *exact)
{
    struct decimal x = {.n = n};
    char text[MAX_DIGITS + 16];

    snprintf(
        text, sizeof(text), "%.*e", n - 1, v); /* d.ddde+XX; the point is one byte in any locale */
    *exact = strtod(text, NULL) == v;
    x.d[0] = text[0];
    if (n > 1)
        memcpy(x.d + 1, text + 2, (size_t)n - 1);
    x.point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    return x;
}

static double decimal_value(const struct decimal *x)
{
    char text[MAX_DIGITS + 16];

    snprintf(text, sizeof(text), "%.*se%d", x->n, x->d, x->point - x->n);
    return strtod(text, NULL);
}

/* The next larger decimal of as many digits. */
static struct decimal decimal_next(struct decimal x)
{
    int i = x.n;

    while (i > 0 && x.d[i - 1] == '9')
        x.d[--i] = '0';
    if (i > 0) {
        x.d[i - 1]++;
    } else {
        x.d[0] = '1';
        x.point++;
    }
    return x;
}

static void decimal_trim(struct decimal *x)
{
    while (x->n > 1 && x->d[x->n - 1] == '0')
        x->n--;
}

/* The shortest decimal that reads back as v, the nearest one if there are several. Any decimal of
 * up to DBL_DIG = 15 digits survives the way through a normal double, so that rounding to 15 finds
 * it whatever its length; subnormals have fewer digits to give and are tried one by one. Just above
 * a power of two lies twice as much room as below it, so there the next larger decimal may read
 * back when the nearest one does not (2^89 = 6.189700196426902e26). */
static struct decimal decimal_shortest(double v)
{
    bool normal = fpclassify(v) == FP_NORMAL, exact = false;
    struct decimal x = {.n = 0};

    for (int n = normal ? DBL_DIG : 1; n <= MAX_DIGITS; n++) {
        x = decimal_round(v, n, &exact);
        if (exact)
            break;
        struct decimal next = decimal_next(x);
        if ((!normal || n > DBL_DIG) && decimal_value(&next) == v) {
            x = next;
            break;
        }
    }
    decimal_trim(&x);
    return x;
}

static void add_zeros(struct buf *out, int n)
{
    while (n-- > 0)
        buf_putc(out, '0');
}

static void add_decimal(const struct decimal *x, struct buf *out)
{
    int e = x->point - 1;

    if (x->n <= x->point && x->point <= PLAIN_MAX) {
        buf_add(out, x->d, (size_t)x->n);
        add_zeros(out, x->point - x->n);
    } else if (0 < x->point && x->point <= PLAIN_MAX) {
        buf_add(out, x->d, (size_t)x->point);
        buf_putc(out, '.');
        buf_add(out, x->d + x->point, (size_t)(x->n - x->point));
    } else if (PLAIN_MIN < x->point && x->point <= 0) {
        buf_puts(out, "0.");
        add_zeros(out, -x->point);
        buf_add(out, x->d, (size_t)x->n);
    } else {
        buf_putc(out, x->d[0]);
        if (x->n > 1) {
            buf_putc(out, '.');
            buf_add(out, x->d + 1, (size_t)x->n - 1);
        }
        buf_printf(out, "e%+d", e);
    }
}

void canon_number(double v, struct buf *out)
{
    BUG_ON(!isfinite(v));
    if (fabs(v) <= (double)JSON_INT_MAX && v == floor(v)) {
        buf_int(out, (int64_t)v); /* -0 too is 0 */
        return;
    }
    struct decimal x = decimal_shortest(fabs(v));
    if (v < 0)
        buf_putc(out, '-');
    add_decimal(&x, out);
}

/* UTF-8 sorts as code points do. UTF-16 differs in one thing: characters beyond U+FFFF are written
 * as surrogates (D800..DFFF) and come before U+E000..U+FFFF; in UTF-8 these begin with F0.. and EE,
 * EF. */
int canon_key_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;

    for (size_t i = 0; i < n; i++) {
        unsigned char ca = (unsigned char)a.p[i], cb = (unsigned char)b.p[i];
        if (ca == cb)
            continue;
        if (ca >= 0xee && cb >= 0xee && (ca >= 0xf0) != (cb >= 0xf0))
            return ca >= 0xf0 ? -1 : 1;
        return ca < cb ? -1 : 1;
    }
    return (a.n > b.n) - (a.n < b.n);
}

struct member {
    struct str name;
    struct json_object *value;
};

static int member_cmp(const void *a, const void *b)
{
    return canon_key_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static enum err add_value(struct json_object *value, int depth, struct buf *out);

static enum err add_object(struct json_object *object, int depth, struct buf *out)
{
    struct member few[16], *members = few;
    size_t n = (size_t)json_object_object_length(object), i = 0;
    enum err e = ERR_OK;

    if (n > ARRAY_LEN(few) && !(members = calloc(n, sizeof(*members))))
        return ERR_NO_MEMORY;
    json_object_object_foreach(object, name, value) members[i++] =
        (struct member){str_of(name), value};
    qsort(members, n, sizeof(*members), member_cmp);
    buf_putc(out, '{');
    for (i = 0; i < n && !e; i++) {
        if (i)
            buf_putc(out, ',');
        buf_json(out, members[i].name);
        buf_putc(out, ':');
        e = add_value(members[i].value, depth + 1, out);
    }
    buf_putc(out, '}');
    if (members != few)
        free(members);
    return e;
}

static enum err add_array(struct json_object *array, int depth, struct buf *out)
{
    size_t n = json_object_array_length(array);
    enum err e = ERR_OK;

    buf_putc(out, '[');
    for (size_t i = 0; i < n && !e; i++) {
        if (i)
            buf_putc(out, ',');
        e = add_value(json_object_array_get_idx(array, i), depth + 1, out);
    }
    buf_putc(out, ']');
    return e;
}

static enum err add_value(struct json_object *value, int depth, struct buf *out)
{
    if (depth > CANON_MAX_DEPTH)
        return ERR_INVALID;
    switch (json_object_get_type(value)) {
    case json_type_null:
        buf_puts(out, "null");
        break;
    case json_type_boolean:
        buf_puts(out, json_object_get_boolean(value) ? "true" : "false");
        break;
    case json_type_int:
        canon_number((double)json_object_get_int64(value), out);
        break;
    case json_type_double:
        if (!isfinite(json_object_get_double(value)))
            return ERR_INVALID;
        canon_number(json_object_get_double(value), out);
        break;
    case json_type_string:
        buf_json(out,
            (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)});
        break;
    case json_type_object:
        return add_object(value, depth, out);
    case json_type_array:
        return add_array(value, depth, out);
    }
    return buf_err(out);
}

enum err canon_value(struct json_object *value, struct buf *out)
{
    enum err e = add_value(value, 0, out);

    return e ? e : buf_err(out);
}

enum err canon_text(struct str text, int max_depth, struct buf *out, struct json_error *error)
{
    struct json_object *value;
    enum err e = json_tree_parse(text, max_depth, &value, error);

    if (e)
        return e;
    e = canon_value(value, out);
    json_object_put(value);
    return e;
}
