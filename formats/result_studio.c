/* Owns sending on a task of Label Studio: its text as it is, with the addresses of files that came
 * along, and an external id. Looks at no label. */
#include "base/json_walk.h"
#include "formats/json_file.h"
#include "formats/result.h"

struct passing {
    struct reader *r;
    const struct result_options *o;
    struct arena *arena;
    struct buf *out;
};

/* Label Studio names an uploaded file /data/upload/PROJECT/FILE, a local one
 * /data/local-files/?d=PATH; a person who packs them together names them by their paths. */
static size_t file_of(const struct passing *p, struct str said)
{
    static const struct str query = {"?d=", 3};
    const char *at = memmem(said.p, said.n, query.p, query.n);
    bool several;
    size_t file;

    if (memmem(said.p, said.n, "://", 3))
        return SIZE_MAX;
    if (at) {
        at += query.n;
        said = (struct str){at, said.n - (size_t)(at - said.p)};
    }
    while (said.n && said.p[0] == '/')
        said.p++, said.n--;
    file = file_set_find_end(p->r->source, said, &several);
    if (file != SIZE_MAX || several || !str_starts(said, STR("data/upload/")))
        return file;
    for (size_t i = said.n; i-- > 0;)
        if (said.p[i] == '/') {
            said = (struct str){said.p + i + 1, said.n - i - 1};
            break;
        }
    return file_set_find_end(p->r->source, said, &several);
}

static bool put_value(const struct passing *p, struct str value)
{
    struct str url = value;
    size_t file = SIZE_MAX;

    if (value.n > 2 && value.p[0] == '"' && value.n < 2 * FILE_SET_NAME)
        file = file_of(p, json_file_string(p->arena, (struct str){value.p + 1, value.n - 2}));
    if (file == SIZE_MAX) {
        buf_str(p->out, value);
        return true;
    }
    url = p->o->url(p->o->arg, file);
    buf_json(p->out, url);
    return url.n > 0;
}

static bool put_data(const struct passing *p, struct str data)
{
    struct json_member m;
    bool good = true;

    if (data.p[0] != '{') { /* the server says what is wrong */
        buf_str(p->out, data);
        return true;
    }
    buf_putc(p->out, '{');
    while (json_walk(&data, &m)) {
        buf_printf(p->out, "\"%.*s\":", STR_FMT(m.key));
        good = put_value(p, m.value) && good;
        buf_putc(p->out, ',');
    }
    buf_chop(p->out, ',');
    buf_putc(p->out, '}');
    return good;
}

/* JSON has no line ends but between its tokens, and those go. */
enum err result_studio(struct reader *r, const struct result_options *o,
    const struct reader_item *item, struct arena *a, struct buf *out)
{
    struct buf flat;
    struct passing p = {r, o, a, out};
    struct str rest;
    struct json_member m;
    bool good = true;

    buf_init(&flat, JSON_FILE_VALUE);
    json_compact(item->task, &flat);
    rest = buf_view(&flat);
    buf_putc(out, '{');
    while (!buf_err(&flat) && json_walk(&rest, &m)) {
        if (str_is(m.key, "external_id"))
            continue;
        buf_printf(out, "\"%.*s\":", STR_FMT(m.key));
        if (str_is(m.key, "data"))
            good = put_data(&p, m.value);
        else
            buf_str(out, m.value);
        buf_putc(out, ',');
    }
    if (item->name.n) {
        buf_puts(out, "\"external_id\":");
        buf_json(out, item->name);
    }
    buf_chop(out, ',');
    buf_puts(out, "}\n");
    enum err e = buf_err(&flat) ? buf_err(&flat) : buf_err(out);
    buf_release(&flat);
    if (!e && !good)
        e = reader_bad(
            r, item->about, "", "a file of the task %.*s could not be stored", STR_FMT(item->name));
    return e;
}
