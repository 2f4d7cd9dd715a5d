/* Owns the little YAML that YOLO data sets are described in. Block texts and maps inside of maps
 * are not read: their lines are passed over, or refused where a name should be. */
#include "formats/yolo_names.h"

#include <stdio.h>

#include "base/utf8.h"
#include "formats/yaml.h"

struct yaml {
    struct reader *r;
    struct str file;
    struct arena *arena;
    int line;
    struct yolo_names *out;
    struct yolo_list *list; /* that the lines at hand belong to; NULL: none */
};

static enum err bad(struct yaml *y, const char *why)
{
    char where[READER_WHERE];

    snprintf(where, sizeof(where), "line %d", y->line);
    return reader_bad(y->r, y->file, where, "%s", why);
}

static bool put(struct yaml *y, struct yolo_list *list, size_t at, struct str name)
{
    if (at >= YOLO_NAMES)
        return false;
    while (at >= list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 128;
        struct str *v = arena_array(y->arena, cap, sizeof(*v));
        if (list->n)
            memcpy(v, list->v, list->n * sizeof(*v));
        list->v = v;
        list->cap = cap;
    }
    list->v[at] = name;
    if (list->n <= at)
        list->n = at + 1;
    return true;
}

/* ---- lists and maps */

/* "3: name" */
static enum err put_pair(struct yaml *y, struct yolo_list *list, struct str text)
{
    struct str key, name;
    int64_t at;

    if (!yaml_cut(&text, ':', &key) || !text.p || !str_int(str_trim(key), &at) || at < 0)
        return bad(y, "a name must stand behind its number: 0: name");
    if (!yaml_scalar(y->arena, text, &name) || !put(y, list, (size_t)at, name))
        return bad(y, "the name or its number cannot be read");
    return ERR_OK;
}

static enum err put_next(struct yaml *y, struct yolo_list *list, struct str text)
{
    struct str name;

    if (!yaml_scalar(y->arena, text, &name) || !put(y, list, list->n, name))
        return bad(y, "the name cannot be read");
    return ERR_OK;
}

/* [a, b] or {0: a, 1: b} on one line. */
static enum err put_inline(struct yaml *y, struct yolo_list *list, struct str text)
{
    bool map = text.p[0] == '{';
    struct str rest, part;
    enum err e = ERR_OK;

    if (!yaml_cut(&text, '#', &rest)) /* a comment behind it */
        return ERR_OK;
    rest = str_trim(rest);
    if (rest.p[rest.n - 1] != (map ? '}' : ']'))
        return bad(y, "the list does not end on its line");
    rest = str_trim((struct str){rest.p + 1, rest.n - 2});
    while (!e && rest.n && yaml_cut(&rest, ',', &part))
        e = map ? put_pair(y, list, part) : put_next(y, list, part);
    return e;
}

static enum err read_shape(struct yaml *y, struct str text)
{
    struct yolo_list two = {0};
    int64_t points, dims;
    enum err e = put_inline(y, &two, text);

    if (e)
        return e;
    if (two.n != 2 || !str_int(two.v[0], &points) || !str_int(two.v[1], &dims) || points < 1 ||
        points > YOLO_NAMES || (dims != 2 && dims != 3))
        return bad(y, "kpt_shape must be [number of key points, 2 or 3]");
    y->out->npoints = (size_t)points;
    y->out->dims = (size_t)dims;
    return ERR_OK;
}

/* ---- lines */

static enum err top_line(struct yaml *y, struct str line)
{
    struct str key;

    y->list = NULL;
    if (!yaml_cut(&line, ':', &key) || !line.p)
        return ERR_OK; /* "---" */
    line = str_trim(line);
    if (str_is(str_trim(key), "kpt_shape"))
        return line.n && line.p[0] == '[' ? read_shape(y, line)
                                          : bad(y, "kpt_shape must be [number, 2 or 3]");
    if (str_is(str_trim(key), "names"))
        y->list = &y->out->classes;
    else if (str_is(str_trim(key), "kpt_names"))
        y->list = &y->out->points;
    else
        return ERR_OK;
    if (y->list->n)
        return bad(y, "the names are there twice");
    if (line.n == 0 || line.p[0] == '#')
        return ERR_OK;
    if (line.p[0] != '[' && line.p[0] != '{')
        return bad(y, "the names must be a list or a map");
    return put_inline(y, y->list, line);
}

static enum err read_line(struct yaml *y, struct str line)
{
    bool inside = line.n && (line.p[0] == ' ' || line.p[0] == '\t' || line.p[0] == '-');
    struct str text = str_trim(line);

    if (text.n == 0 || text.p[0] == '#' || str_starts(text, STR("---")))
        return ERR_OK;
    if (!inside)
        return top_line(y, line);
    if (!y->list)
        return ERR_OK;
    if (text.p[0] == '-' && (text.n == 1 || text.p[1] == ' '))
        return put_next(y, y->list, (struct str){text.p + 1, text.n - 1});
    return put_pair(y, y->list, text);
}

static enum err read_text(struct yaml *y, struct str text, bool yaml)
{
    struct str line;
    enum err e = ERR_OK;

    if (utf8_valid(text) != text.n || memchr(text.p, '\0', text.n))
        return reader_bad(y->r, y->file, "", "is no UTF-8 text");
    while (!e && str_split(&text, '\n', &line)) {
        y->line++;
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (yaml)
            e = read_line(y, line);
        else if (line.n || text.n)
            e = put(y, &y->out->classes, y->out->classes.n, arena_str(y->arena, str_trim(line)))
                    ? ERR_OK
                    : bad(y, "there are too many names");
    }
    return e;
}

enum err yolo_names_read(struct reader *r, struct yolo_names *out)
{
    static const struct {
        const char *name;
        bool yaml;
    } files[] = {{"data.yaml", true}, {"data.yml", true}, {"dataset.yaml", true},
        {"obj.names", false}, {"classes.txt", false}};
    struct yaml y = {.r = r, .arena = r->arena, .out = out};
    size_t i = 0, at = SIZE_MAX;
    bool several;
    struct buf text;
    enum err e;

    *out = (struct yolo_names){0};
    while (i < ARRAY_LEN(files) &&
           (at = file_set_find_end(r->source, str_of(files[i].name), &several)) == SIZE_MAX)
        i++;
    if (at == SIZE_MAX)
        return reader_bad(r, STR("the data set"), "", "has no data.yaml with the names of classes");
    y.file = file_set_at(r->source, at)->name;
    buf_init(&text, BUF_MAX_JSON);
    e = file_set_load(r->source, at, &text);
    e = e ? reader_failed(r, y.file, e) : read_text(&y, buf_view(&text), files[i].yaml);
    buf_release(&text);
    if (!e && out->classes.n == 0)
        e = reader_bad(r, y.file, "", "names no class");
    return e;
}
