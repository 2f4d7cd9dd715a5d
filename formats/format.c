/* Owns the table of formats and the small things most of them print. Never writes a file. */
#include "formats/format.h"

#include <stdio.h>

#include "base/json_walk.h"
#include "core/canon.h"
#include "core/json_tree.h"
#include "core/label_check.h"

static const struct format *const formats[] = {&format_jsonl, &format_label_studio, &format_coco,
    &format_yolo, &format_yolo_segment, &format_yolo_obb, &format_yolo_pose, &format_voc,
    &format_cvat, &format_label_studio_min, &format_csv, &format_conll, &format_asr, &format_rttm,
    &format_yolo_classify, &format_image_folder, &format_masks, &format_webdataset,
    &format_cvat_video};

const struct format *format_at(size_t i)
{
    return i < ARRAY_LEN(formats) ? formats[i] : NULL;
}

const struct format *format_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (str_is(name, formats[i]->name))
            return formats[i];
    return NULL;
}

void export_seconds(struct buf *out, double seconds)
{
    if (seconds >= 0)
        canon_number(seconds, out);
    else
        buf_puts(out, "null");
}

void export_id(struct buf *out, int64_t id)
{
    if (id)
        buf_int(out, id);
    else
        buf_puts(out, "null");
}

void export_decimal(struct buf *out, double v, int digits)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%.*f", digits, v);

    if (n < 0 || (size_t)n >= sizeof(text)) {
        canon_number(v, out);
        return;
    }
    while (strchr(text, '.') && text[n - 1] == '0')
        text[--n] = '\0';
    if (text[n - 1] == '.')
        text[--n] = '\0';
    buf_puts(out, strcmp(text, "-0") == 0 ? "0" : text);
}

static size_t strings_of(struct json_object *value, struct arena *a, struct str **strings)
{
    bool list = json_object_is_type(value, json_type_array);
    size_t n = list ? json_object_array_length(value) : 1, kept = 0;

    *strings = arena_array(a, n + 1, sizeof(**strings));
    for (size_t i = 0; i < n; i++) {
        struct json_object *one = list ? json_object_array_get_idx(value, i) : value;
        if (json_object_is_type(one, json_type_string))
            (*strings)[kept++] = arena_str(a, json_str(one));
    }
    return kept;
}

size_t export_data(const struct export_item *i, struct str key, struct arena *a, struct str **out)
{
    struct str rest = i->data;
    struct json_member m;
    size_t n = 0;

    *out = NULL;
    while (json_walk(&rest, &m)) {
        struct json_object *value = NULL;
        if (!str_eq(m.key, key))
            continue;
        if (!json_tree_parse(m.value, JSON_DEPTH_MAX, &value, NULL))
            n = strings_of(value, a, out);
        json_object_put(value);
        break;
    }
    return n;
}

const char *export_split(const struct export_item *i, struct arena *a)
{
    char *name = arena_copy(a, i->split.p, i->split.n);

    for (size_t k = 0; k < i->split.n; k++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", name[k]))
            name[k] = '_';
    return i->split.n ? name : "all";
}
