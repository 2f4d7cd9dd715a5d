/* Owns the elements that both of CVAT's formats have. */
#include "formats/cvat_xml.h"

#include <math.h>

#include "formats/xml.h"

void cvat_number(struct buf *out, const char *name, double v)
{
    buf_printf(out, " %s=\"", name);
    export_decimal(out, v, CVAT_DIGITS);
    buf_putc(out, '"');
}

void cvat_text(struct buf *out, const char *name, struct str s)
{
    buf_printf(out, " %s=\"", name);
    xml_attribute(out, s);
    buf_putc(out, '"');
}

static double whole_turn(double degrees)
{
    double v = fmod(degrees, 360);

    return v < 0 ? v + 360 : v;
}

void cvat_rotation(struct buf *out, const struct shape *s)
{
    if (whole_turn(s->rotation) != 0)
        cvat_number(out, "rotation", whole_turn(s->rotation));
}

void cvat_box(struct buf *out, const struct shape *s)
{
    struct point corner[4], centre;

    shape_corners(s, corner);
    centre = (struct point){(corner[0].x + corner[2].x) / 2, (corner[0].y + corner[2].y) / 2};
    cvat_number(out, "xtl", centre.x - s->w / 2);
    cvat_number(out, "ytl", centre.y - s->h / 2);
    cvat_number(out, "xbr", centre.x + s->w / 2);
    cvat_number(out, "ybr", centre.y + s->h / 2);
    cvat_rotation(out, s);
}

/* What was said about it: one answer is its text, several are lines. */
static void put_said(struct buf *out, struct json_object *said)
{
    size_t n = json_object_is_type(said, json_type_array) ? json_object_array_length(said) : 0;

    if (n == 0 && said)
        xml_text(out, str_of(json_object_get_string(said)));
    for (size_t i = 0; i < n; i++) {
        xml_text(out, str_of(json_object_get_string(json_object_array_get_idx(said, i))));
        if (i + 1 < n)
            buf_putc(out, '\n');
    }
}

void cvat_attributes(struct buf *out, const struct shape *s)
{
    for (struct shape_answer *answer = s->answers; answer; answer = answer->next) {
        buf_puts(out, "      <attribute");
        cvat_text(out, "name", answer->control);
        buf_putc(out, '>');
        put_said(out, answer->said);
        buf_puts(out, "</attribute>\n");
        answer->told = true;
    }
}

static const char *input_of(const struct label_control *k)
{
    if (str_is(k->type, "Choices"))
        return k->single ? "radio" : "select";
    return str_is(k->type, "Number") || str_is(k->type, "Rating") ? "number" : "text";
}

static void put_controls(const struct label_config *config, struct buf *out)
{
    for (const struct label_control *k = config->controls; k; k = k->next) {
        if (!k->per_region)
            continue;
        buf_puts(out, "            <attribute><name>");
        xml_text(out, k->name.text);
        buf_printf(out, "</name><mutable>False</mutable><input_type>%s</input_type>", input_of(k));
        buf_puts(out, "<default_value></default_value><values>");
        for (const struct label_value *v = k->values; v; v = v->next) {
            xml_text(out, v->value);
            if (v->next)
                buf_putc(out, '\n');
        }
        buf_puts(out, "</values></attribute>\n");
    }
}

void cvat_labels(const struct classes *names, const char *type, const struct label_config *config,
    struct buf *out)
{
    for (size_t i = 0; i < names->n; i++) {
        buf_puts(out, "        <label><name>");
        xml_text(out, names->names[i]);
        buf_printf(out, "</name><type>%s</type><attributes>\n", type);
        put_controls(config, out);
        buf_puts(out, "        </attributes></label>\n");
    }
}
