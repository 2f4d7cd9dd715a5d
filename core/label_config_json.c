/* Owns printing a label config as the JSON that ML backends and the front end read: the shape of
 * the Label Studio SDK's parse_config(). Never reads XML. */
#include "core/label_config.h"

static void print_attrs(const struct label_attrs *attrs, struct buf *out)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < attrs->n; i++) {
        buf_json(out, attrs->v[i].name);
        buf_putc(out, ':');
        buf_json(out, attrs->v[i].value);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_putc(out, '}');
}

/* The same value under two parents (a tree of choices) is printed once, as a Python dict keeps it.
 */
static bool seen_before(const struct label_control *c, const struct label_value *v)
{
    return label_value_any(c, v->value) != v;
}

static void print_labels(const struct label_control *c, struct buf *out)
{
    buf_puts(out, ",\"labels\":[");
    for (const struct label_value *v = c->values; v; v = v->next) {
        if (seen_before(c, v))
            continue;
        buf_json(out, v->value);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_puts(out, "],\"labels_attrs\":{");
    for (const struct label_value *v = c->values; v; v = v->next) {
        if (seen_before(c, v))
            continue;
        buf_json(out, v->value);
        buf_putc(out, ':');
        print_attrs(&v->attrs, out);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_putc(out, '}');
}

static void print_inputs(const struct label_control *c, struct buf *out)
{
    buf_puts(out, ",\"to_name\":[");
    for (const struct label_target *t = c->to; t; t = t->next) {
        buf_json(out, t->object->name.text);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_puts(out, "],\"inputs\":[");
    for (const struct label_target *t = c->to; t; t = t->next) {
        const struct label_object *o = t->object;
        buf_puts(out, "{\"type\":");
        buf_json(out, o->type);
        buf_puts(out, o->list ? ",\"valueList\":" : ",\"value\":");
        buf_json(out, o->field.n ? o->field : o->value);
        buf_puts(out, ",\"valueType\":");
        if (o->value_type.n)
            buf_json(out, o->value_type);
        else
            buf_puts(out, "null");
        buf_puts(out, "},");
    }
    buf_chop(out, ',');
    buf_putc(out, ']');
}

static void print_conditionals(const struct label_control *c, struct buf *out)
{
    static const struct {
        const char *attr, *type;
    } rows[] = {{"whenTagName", "tag"}, {"whenLabelValue", "label"}, {"whenChoiceValue", "choice"}};

    for (size_t i = 0; c->per_region && i < ARRAY_LEN(rows); i++) {
        struct str name = label_attr(&c->attrs, rows[i].attr);
        if (name.n == 0)
            continue;
        buf_printf(out, ",\"conditionals\":{\"type\":\"%s\",\"name\":", rows[i].type);
        buf_json(out, name);
        buf_putc(out, '}');
        return;
    }
}

static void print_control(const struct label_control *c, struct buf *out)
{
    buf_json(out, c->name.text);
    buf_puts(out, ":{\"type\":");
    buf_json(out, c->type);
    print_inputs(c, out);
    print_labels(c, out);
    print_conditionals(c, out);
    if (c->dynamic)
        buf_puts(out, ",\"dynamic_labels\":true");
    if (c->name.indexed) {
        struct str flag = {c->name.before.p + c->name.before.n,
            c->name.text.n - c->name.before.n - c->name.after.n};
        buf_puts(out, ",\"regex\":{");
        buf_json(out, flag);
        buf_puts(out, ":\".*\"}");
    }
    buf_puts(out, ",\"attrs\":");
    print_attrs(&c->attrs, out);
    buf_putc(out, '}');
}

void label_config_json(const struct label_config *config, struct buf *out)
{
    buf_putc(out, '{');
    for (const struct label_control *c = config->controls; c; c = c->next) {
        if (c->implied)
            continue;
        print_control(c, out);
        buf_putc(out, ',');
    }
    buf_chop(out, ',');
    buf_putc(out, '}');
}
