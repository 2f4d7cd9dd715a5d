/* Owns reading Label Studio's JSON: arrays of tasks, or a task a line, in every JSON file of the
 * source. A task goes on as it is, to the last digit; only a field of its data that names a file of
 * the source becomes that file's address (result.c), and a task without external_id gets one from
 * its id, so that a repeat adds nothing twice. */
#include <stdio.h>

#include "base/json_walk.h"
#include "formats/json_file.h"

struct studio {
    struct json_file json;
    bool open, array;
    size_t file; /* the next file to look at */
    size_t task; /* of the file at hand, from 0 */
};

static bool is_json(struct str name)
{
    static const char *const ends[] = {".json", ".jsonl", ".ndjson"};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t n = strlen(ends[i]);
        if (name.n > n && memcmp(name.p + name.n - n, ends[i], n) == 0)
            return !str_is(name, "EXPORT.json");
    }
    return false;
}

static enum err open_studio(struct reader *r)
{
    size_t i = 0;

    r->state = arena_alloc(r->arena, sizeof(struct studio));
    while (i < file_set_count(r->source) && !is_json(file_set_at(r->source, i)->name))
        i++;
    return i == file_set_count(r->source)
               ? reader_bad(r, STR("the data set"), "", "has no JSON file")
               : ERR_OK;
}

static void close_studio(struct reader *r)
{
    struct studio *s = r->state;

    if (s && s->open)
        json_file_close(&s->json);
    if (s)
        s->open = false;
}

/* Opens the next file that is not empty. *got false: there is none. */
static enum err to_file(struct reader *r, bool *got)
{
    struct studio *s = r->state;
    enum err e = ERR_OK;
    char c = '\0';

    *got = s->open;
    while (!e && !s->open && s->file < file_set_count(r->source)) {
        size_t i = s->file++;
        if (!is_json(file_set_at(r->source, i)->name))
            continue;
        json_file_open(&s->json, r, i);
        s->open = *got = true;
        s->task = 0;
        e = json_file_peek(&s->json, &c);
        s->array = c == '[';
        if (!e && s->array)
            e = json_file_take(&s->json, "[", &c);
    }
    return e;
}

/* To the next task of the file; *got false at its end. */
static enum err to_task(struct studio *s, bool *got)
{
    char c;
    enum err e = json_file_peek(&s->json, &c);

    *got = false;
    if (!e && s->array && s->task > 0 && c == ',')
        e = json_file_take(&s->json, ",", &c);
    else if (!e && s->array && c == ']')
        return (e = json_file_take(&s->json, "]", &c)) ? e : json_file_end(&s->json);
    else if (!e && !s->array && c == '\0')
        return ERR_OK;
    else if (!e && s->array && s->task > 0)
        return json_file_take(&s->json, ",]", &c); /* which says what is wrong */
    *got = !e;
    return e;
}

/* "label-studio:PROJECT:ID" */
static struct str id_of(struct arena *a, struct str task)
{
    struct str id = {"", 0}, project = {"0", 1}, external = {"", 0};
    struct json_member m;

    while (json_walk(&task, &m)) {
        if (str_is(m.key, "id"))
            id = m.value;
        else if (str_is(m.key, "project"))
            project = m.value;
        else if (str_is(m.key, "external_id") && !str_is(m.value, "null"))
            external = m.value;
    }
    if (external.n >= 2 && external.p[0] == '"')
        return json_file_string(a, (struct str){external.p + 1, external.n - 2});
    if (id.n == 0 || id.n > 20)
        return STR("");
    return str_of(arena_printf(a, "label-studio:%.*s:%.*s", (int)(project.n < 20 ? project.n : 20),
        project.p, STR_FMT(id)));
}

static enum err next(struct reader *r, struct arena *a, struct reader_item *out, bool *got)
{
    struct studio *s = r->state;
    char where[READER_WHERE];
    struct str text;
    int64_t off;
    enum err e;

    do {
        e = to_file(r, got);
        if (e || !*got)
            return e;
        e = to_task(s, got);
        if (e || *got)
            break;
        close_studio(r);
    } while (!*got);
    if (!e)
        e = json_file_value(&s->json, &text, &off);
    if (e) {
        r->over = true;
        return e;
    }
    out->about = file_set_at(r->source, s->json.file)->name;
    snprintf(where, sizeof(where), "task %zu", ++s->task);
    text = str_trim(text);
    if (text.p[0] != '{')
        return reader_bad(r, out->about, where, "a task must be an object");
    out->task = arena_str(a, text);
    out->name = id_of(a, text);
    return ERR_OK;
}

const struct format_reader reader_label_studio = {
    .name = "label-studio",
    .about = "Label Studio's JSON, with the files that its tasks name if they are there",
    .open = open_studio,
    .next = next,
    .close = close_studio,
};
