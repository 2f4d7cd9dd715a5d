/* Owns the position and its text form. Never decides whether a position may be used. */
#include "workers/stream/position.h"

#include <stdio.h>

#include "core/json_tree.h"

enum { SNAPSHOT_MAX = 1 << 20, FORMAT = 1 };

void position_init(struct position *p)
{
    *p = (struct position){0};
    buf_init(&p->prev, SNAPSHOT_MAX);
    buf_init(&p->cur, SNAPSHOT_MAX);
    buf_puts(&p->prev, POSITION_START);
}

void position_release(struct position *p)
{
    buf_release(&p->prev);
    buf_release(&p->cur);
}

static void set(struct buf *b, struct str text)
{
    buf_clear(b);
    buf_str(b, text);
}

void position_copy(struct position *to, const struct position *from)
{
    struct buf prev = to->prev, cur = to->cur;

    *to = *from;
    to->prev = prev;
    to->cur = cur;
    set(&to->prev, buf_view(&from->prev));
    set(&to->cur, buf_view(&from->cur));
}

void position_advance(struct position *p)
{
    set(&p->prev, buf_view(&p->cur));
    buf_clear(&p->cur);
    p->done = p->part = 0;
}

void position_print(const struct position *p, struct buf *out)
{
    buf_printf(out, "{\"v\":%d,\"prev\":", FORMAT);
    buf_json(out, buf_view(&p->prev));
    buf_puts(out, ",\"cur\":");
    buf_json(out, buf_view(&p->cur));
    buf_puts(out, ",\"done\":");
    buf_int(out, p->done);
    buf_puts(out, ",\"part\":");
    buf_int(out, p->part);
    buf_puts(out, ",\"sysid\":");
    buf_json(out, str_of(p->system));
    buf_puts(out, ",\"tli\":");
    buf_int(out, p->timeline);
    buf_puts(out, ",\"gen\":");
    buf_int(out, p->generation);
    buf_putc(out, '}');
}

static bool get_int(struct json_object *o, const char *name, int64_t *out)
{
    struct json_object *v;

    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_int))
        return false;
    *out = json_object_get_int64(v);
    return *out >= 0;
}

static bool get_text(struct json_object *o, const char *name, struct str *out)
{
    struct json_object *v;

    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
        return false;
    *out = (struct str){json_object_get_string(v), (size_t)json_object_get_string_len(v)};
    return true;
}

static bool read_object(struct position *p, struct json_object *o)
{
    struct str prev, cur, system;
    int64_t format;

    if (!json_object_is_type(o, json_type_object) || !get_int(o, "v", &format) ||
        format != FORMAT || !get_text(o, "prev", &prev) || !get_text(o, "cur", &cur) ||
        !get_text(o, "sysid", &system) || !get_int(o, "done", &p->done) ||
        !get_int(o, "part", &p->part) || !get_int(o, "tli", &p->timeline) ||
        !get_int(o, "gen", &p->generation))
        return false;
    if (prev.n == 0 || system.n == 0 || system.n >= sizeof(p->system))
        return false;
    snprintf(p->system, sizeof(p->system), "%.*s", STR_FMT(system));
    set(&p->prev, prev);
    set(&p->cur, cur);
    return !buf_err(&p->prev) && !buf_err(&p->cur);
}

enum err position_parse(struct position *p, struct str text)
{
    struct json_object *o;

    position_init(p);
    if (json_tree_parse(text, 2, &o, NULL))
        return ERR_INVALID;
    bool good = read_object(p, o);
    json_object_put(o);
    return good ? ERR_OK : ERR_INVALID;
}
