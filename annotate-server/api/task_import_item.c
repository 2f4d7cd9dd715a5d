/* Owns reading one item of an import: which members it has and what they must be. A plain task is
 * never built as a tree: its data goes to the database as the text it came in, without its blanks.
 */
#include "annotate-server/api/task_import.h"

#include "base/json_walk.h"

enum { PRIORITY_MAX = 1000000, EXTERNAL_MAX = 500 };

struct json_object *import_parse(struct import *im, struct str text)
{
    json_tokener_reset(im->tokener);
    return json_tokener_parse_ex(im->tokener, text.p, (int)text.n);
}

static bool has_escapes(struct str text)
{
    return memchr(text.p, '\\', text.n) != NULL;
}

/* Is the key, as it stands in the text, this name? */
static bool key_is(struct import *im, struct str key, struct str name)
{
    struct json_object *string;
    bool same;

    if (!has_escapes(key))
        return str_eq(key, name);
    string = import_parse(im, (struct str){key.p - 1, key.n + 2});
    same = str_eq(
        (struct str){json_object_get_string(string), (size_t)json_object_get_string_len(string)},
        name);
    json_object_put(string);
    return same;
}

static bool bad(struct import *im, const char *pointer, const char *why)
{
    import_bad(im, ERR_INVALID, false, pointer, why);
    return false;
}

/* ---- the members of an item */

static const struct {
    const char *name;
    size_t at; /* where its text goes; IGNORED: what Label Studio's export says of a task */
} members[] = {
#define IGNORED (size_t) - 1
    {"data", offsetof(struct import_item, data)},
    {"meta", offsetof(struct import_item, meta)},
    {"external_id", offsetof(struct import_item, external_id)},
    {"priority", offsetof(struct import_item, priority)},
    {"skills", offsetof(struct import_item, skills)},
    {"annotations", offsetof(struct import_item, annotations)},
    {"predictions", offsetof(struct import_item, predictions)},
    {"id", IGNORED},
    {"created_at", IGNORED},
    {"updated_at", IGNORED},
    {"inner_id", IGNORED},
    {"total_annotations", IGNORED},
    {"cancelled_annotations", IGNORED},
    {"total_predictions", IGNORED},
    {"comment_count", IGNORED},
    {"unresolved_comment_count", IGNORED},
    {"last_comment_updated_at", IGNORED},
    {"comment_authors", IGNORED},
    {"project", IGNORED},
    {"updated_by", IGNORED},
    {"file_upload", IGNORED},
    {"allow_skip", IGNORED},
    {"drafts", IGNORED},
    {"is_labeled", IGNORED},
    {"overlap", IGNORED},
    {"precomputed_agreement", IGNORED},
};

static size_t member_find(struct import *im, struct str key)
{
    size_t i = 0;

    while (i < ARRAY_LEN(members) && !key_is(im, key, str_of(members[i].name)))
        i++;
    return i;
}

static bool unknown_member(struct import *im, struct str key)
{
    char pointer[JSON_POINTER_SIZE] = "";

    (void)json_pointer_add(pointer, sizeof(pointer), key);
    return bad(im, pointer, "unknown member");
}

/* {"data":…} or, as Label Studio takes it, the data alone. */
static bool read_members(struct import *im, struct str text, struct import_item *item)
{
    struct str rest = text, unknown = {NULL, 0};
    struct json_member m;

    if (text.p[0] != '{')
        return bad(im, "", "a task must be an object");
    while (json_walk(&rest, &m)) {
        size_t i = member_find(im, m.key);
        if (i == ARRAY_LEN(members))
            unknown = unknown.p ? unknown : m.key;
        else if (members[i].at != IGNORED)
            memcpy((char *)item + members[i].at, &m.value, sizeof(m.value));
    }
    if (!item->data.p)
        *item = (struct import_item){.data = text};
    else if (unknown.p)
        return unknown_member(im, unknown);
    return true;
}

/* ---- what they hold */

static bool is_null(struct str text)
{
    return text.p == NULL || str_is(text, "null");
}

/* Every field that the label config shows must be there. */
static bool check_fields(struct import *im, struct str data)
{
    char pointer[JSON_POINTER_SIZE] = "/data";

    for (const struct label_object *o = im->r->project->config->objects; o; o = o->next) {
        struct str rest = data;
        struct json_member m;
        bool there = o->field.n == 0 || o->name.indexed;
        while (!there && json_walk(&rest, &m))
            there = key_is(im, m.key, o->field);
        if (there)
            continue;
        (void)json_pointer_add(pointer, sizeof(pointer), o->field);
        return bad(im, pointer, "the label config shows this field, and it is missing");
    }
    return true;
}

/* What the database stores for a value: without blanks, and without escapes that need not be, so
 * that addresses in it can be compared. Borrowed from im->scratch. */
static struct str stored(struct import *im, struct str text)
{
    buf_clear(&im->scratch);
    if (has_escapes(text)) {
        struct json_object *tree = import_parse(im, text);
        buf_puts(&im->scratch, json_object_to_json_string_ext(
                                   tree, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(tree);
    } else {
        json_compact(text, &im->scratch);
    }
    return buf_view(&im->scratch);
}

/* All text counts towards a full chunk: its arrays have a maximum. */
static void put_text(struct import *im, enum import_column column, struct str text)
{
    struct str s = stored(im, text);

    im->fill->bytes += s.n;
    db_array_text(&im->fill->cols[column], s);
}

static bool put_external(struct import *im, struct str text)
{
    static const char why[] = "must be a string of 1 to 500 bytes";
    struct db_array *to = &im->fill->cols[ITEM_EXTERNAL];
    struct json_object *string = NULL;
    struct str id = {text.p + 1, text.n - 2};

    if (text.p[0] != '"')
        return bad(im, "/external_id", why);
    if (has_escapes(text)) {
        string = import_parse(im, text);
        id = (struct str){
            json_object_get_string(string), (size_t)json_object_get_string_len(string)};
    }
    bool good = id.n >= 1 && id.n <= EXTERNAL_MAX;
    if (good)
        db_array_text(to, id);
    json_object_put(string);
    return good || bad(im, "/external_id", why);
}

static bool read_priority(struct import *im, struct str text, int64_t *out)
{
    if (str_int(text, out) && *out >= -PRIORITY_MAX && *out <= PRIORITY_MAX)
        return true;
    return bad(im, "/priority", "must be a whole number within a million of 0");
}

/* The text that the database makes an array of; "" for none. */
static bool read_skills(struct import *im, struct str text, char tags[TAGS_TEXT])
{
    struct json_object *list = import_parse(im, text);
    enum err e = tags_parse(list, tags);

    json_object_put(list);
    if (e)
        return bad(im, "/skills", TAGS_RULE);
    if (strcmp(tags, TAGS_NONE) == 0)
        tags[0] = '\0';
    return true;
}

/* Anything but an empty list. */
static bool has_labels(struct str list)
{
    size_t i = 1;

    if (is_null(list))
        return false;
    while (list.p[0] == '[' && i < list.n && strchr(" \t\r\n", list.p[i]))
        i++;
    return list.p[0] != '[' || list.p[i] != ']';
}

/* All that can fail comes before anything is put into the chunk; the external id is the last. */
static bool put_item(struct import *im, const struct import_item *item)
{
    struct import_chunk *c = im->fill;
    char tags[TAGS_TEXT] = "";
    int64_t priority = 0;
    int labels = 0, head = 0;

    if (item->data.p[0] != '{')
        return bad(im, "/data", "must be an object");
    if (!check_fields(im, item->data) ||
        (!is_null(item->priority) && !read_priority(im, item->priority, &priority)) ||
        (!is_null(item->skills) && !read_skills(im, item->skills, tags)))
        return false;
    bool labelled = has_labels(item->annotations) || has_labels(item->predictions);
    if (!import_has_room(im, labelled) || (labelled && !import_labels(im, item, &labels, &head)))
        return false;
    if (is_null(item->external_id)) {
        db_array_null(&c->cols[ITEM_EXTERNAL]);
    } else if (!put_external(im, item->external_id)) {
        c->nlabels -= (size_t)labels;
        return false;
    }
    c->items++;
    put_text(im, ITEM_DATA, item->data);
    if (is_null(item->meta))
        db_array_null(&c->cols[ITEM_META]);
    else
        put_text(im, ITEM_META, item->meta);
    db_array_int(&c->cols[ITEM_PRIORITY], priority);
    db_array_int(&c->cols[ITEM_LABELS], labels);
    if (head)
        db_array_int(&c->cols[ITEM_HEAD], head);
    else
        db_array_null(&c->cols[ITEM_HEAD]);
    if (tags[0])
        db_array_text(&c->cols[ITEM_SKILLS], str_of(tags));
    else
        db_array_null(&c->cols[ITEM_SKILLS]);
    return true;
}

void import_item(struct import *im, struct str text)
{
    struct import_item item = {0};

    while (text.n && strchr(" \t\r\n", text.p[0])) {
        text.p++;
        text.n--;
    }
    if (read_members(im, text, &item))
        (void)put_item(im, &item);
}
