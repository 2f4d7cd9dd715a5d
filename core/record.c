/* Owns the record and its text form. Never changes a value's bytes: consumers check their hash. */
#include "core/record.h"

#include "core/json_tree.h"

static const char *const names[TOPIC_COUNT] = {"events", "labels", "releases"};

const char *topic_name(enum topic t)
{
    return names[t];
}

bool topic_parse(struct str name, enum topic *out)
{
    for (int i = 0; i < TOPIC_COUNT; i++)
        if (str_is(name, names[i])) {
            *out = (enum topic)i;
            return true;
        }
    return false;
}

void record_init(struct record *r, enum topic topic, struct str key)
{
    r->topic = topic;
    r->tombstone = false;
    r->nheaders = 0;
    r->key = key;
    r->value = STR("");
}

void record_header(struct record *r, const char *name, struct str value)
{
    BUG_ON(r->nheaders == RECORD_HEADERS);
    r->headers[r->nheaders++] = (struct header){str_of(name), value};
}

struct str record_get(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (str_is(r->headers[i].name, name))
            return r->headers[i].value;
    return STR("");
}

enum err record_print(const struct record *r, struct buf *out)
{
    if (!r->tombstone && (r->value.n == 0 || memchr(r->value.p, '\n', r->value.n)))
        return ERR_INVALID;
    buf_printf(out, "{\"topic\":\"%s\",\"key\":", names[r->topic]);
    buf_json(out, r->key);
    buf_puts(out, ",\"headers\":{");
    for (size_t i = 0; i < r->nheaders; i++) {
        if (i)
            buf_putc(out, ',');
        buf_json(out, r->headers[i].name);
        buf_putc(out, ':');
        buf_json(out, r->headers[i].value);
    }
    buf_puts(out, "},\"value\":");
    buf_str(out, r->tombstone ? STR("null") : r->value);
    buf_putc(out, '}');
    return buf_err(out);
}

static bool get_text(struct json_object *o, struct str *out)
{
    if (!json_object_is_type(o, json_type_string))
        return false;
    *out = (struct str){json_object_get_string(o), (size_t)json_object_get_string_len(o)};
    return true;
}

static bool read_headers(struct json_object *o, struct record *r)
{
    if (!json_object_is_type(o, json_type_object) || json_object_object_length(o) > RECORD_HEADERS)
        return false;
    json_object_object_foreach(o, name, value)
    {
        struct str text;
        if (!get_text(value, &text))
            return false;
        record_header(r, name, text);
    }
    return true;
}

static bool read_head(struct json_object *o, struct record *r)
{
    struct json_object *topic, *key, *headers;
    struct str name;

    if (!json_object_is_type(o, json_type_object) || json_object_object_length(o) != 3 ||
        !json_object_object_get_ex(o, "topic", &topic) ||
        !json_object_object_get_ex(o, "key", &key) ||
        !json_object_object_get_ex(o, "headers", &headers))
        return false;
    record_init(r, TOPIC_EVENTS, STR(""));
    return get_text(topic, &name) && topic_parse(name, &r->topic) && get_text(key, &r->key) &&
           read_headers(headers, r);
}

/* A bare quote cannot stand inside a JSON string, and the headers are flat: so the first
 * `},"value":` ends them, and what follows is the value to the last byte but the closing brace. */
enum err record_parse(struct str line, struct record *r, struct json_object **tree)
{
    static const struct str mark = STR("},\"value\":");
    const char *at = memmem(line.p, line.n, mark.p, mark.n);
    struct buf head;
    enum err e;

    if (!at || line.p[line.n - 1] != '}')
        return ERR_INVALID;
    const char *value = at + mark.n, *end = line.p + line.n - 1;
    if (value >= end)
        return ERR_INVALID;
    buf_init(&head, BUF_MAX_JSON);
    buf_add(&head, line.p, (size_t)(at - line.p));
    buf_puts(&head, "}}");
    e = buf_err(&head) ? buf_err(&head) : json_tree_parse(buf_view(&head), 3, tree, NULL);
    buf_release(&head);
    if (e)
        return ERR_INVALID;
    if (!read_head(*tree, r)) {
        json_object_put(*tree);
        return ERR_INVALID;
    }
    r->value = (struct str){value, (size_t)(end - value)};
    r->tombstone = str_is(r->value, "null");
    if (r->tombstone)
        r->value = STR("");
    return ERR_OK;
}
