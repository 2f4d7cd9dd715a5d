/* Owns the annotations and predictions inside an imported task: each becomes a version of its
 * label. Never stores one: a chunk's documents go into its pack together. */
#include "annotate-server/api/task_import.h"

#include "core/label_doc.h"

enum { MODEL_MAX = 200, EMAIL_MAX = 254, POINTER_MAX = 512 };

/* One list of labels being read. */
struct reading {
    struct import *im;
    struct import_chunk *c;
    struct json_object *data; /* of the task; NULL: not needed */
    const char *list;         /* "annotations" */
    size_t at;                /* the entry at hand */
    int seq;
    size_t gold; /* annotation that says it is the truth; its place among the chunk's labels */
};

static bool bad(struct reading *rd, enum err e, const char *member, const char *why)
{
    char pointer[POINTER_MAX];

    snprintf(pointer, sizeof(pointer), "/%s/%zu%s", rd->list, rd->at, member);
    import_bad(rd->im, e, false, pointer, why);
    return false;
}

static struct str text_of(struct json_object *string)
{
    return (struct str){json_object_get_string(string), (size_t)json_object_get_string_len(string)};
}

static struct json_object *get(struct json_object *entry, const char *name)
{
    struct json_object *v = NULL;

    json_object_object_get_ex(entry, name, &v);
    return v;
}

static bool is_true(struct json_object *entry, const char *name)
{
    return json_object_get_boolean(get(entry, name));
}

/* A number from 0 to max; absent or null: below 0. */
static bool read_number(struct reading *rd, struct json_object *entry, const char *name,
    const char *pointer, double max, double *out)
{
    struct json_object *v = get(entry, name);

    *out = -1;
    if (!v)
        return true;
    *out = json_object_get_double(v);
    if ((json_object_is_type(v, json_type_double) || json_object_is_type(v, json_type_int)) &&
        *out >= 0 && *out <= max)
        return true;
    return bad(rd, ERR_INVALID, pointer, max > 1 ? "must be seconds" : "must be from 0 to 1");
}

/* A number, {"email"} or null. Who is no member of the project is nobody. */
static bool read_author(struct reading *rd, struct json_object *entry, struct import_label *l)
{
    struct json_object *by = get(entry, "completed_by"), *email = NULL;

    if (json_object_is_type(by, json_type_object)) {
        email = get(by, "email");
        by = email ? NULL : get(by, "id");
        if (!email && !by)
            return bad(rd, ERR_INVALID, "/completed_by", "must have an email or an id");
    }
    if (email) {
        if (!json_object_is_type(email, json_type_string) || text_of(email).n > EMAIL_MAX)
            return bad(rd, ERR_INVALID, "/completed_by/email", "must be an e-mail address");
        char *address = arena_copy(rd->c->arena, text_of(email).p, text_of(email).n);
        for (char *p = address; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
        l->email = str_of(address);
    }
    if (by && !json_object_is_type(by, json_type_int))
        return bad(rd, ERR_INVALID, "/completed_by", "must be a user's id, {\"email\"} or null");
    l->member = by ? json_object_get_int64(by) : 0;
    return true;
}

/* Label Studio's own default says nothing of who predicted; here a prediction has a model. */
static bool read_model(struct reading *rd, struct json_object *entry, struct import_label *l)
{
    struct json_object *v = get(entry, "model_version");

    l->model = STR("unknown");
    if (!v)
        return true;
    if (!json_object_is_type(v, json_type_string) || text_of(v).n < 1 || text_of(v).n > MODEL_MAX)
        return bad(rd, ERR_INVALID, "/model_version", "must be a string of 1 to 200 bytes");
    l->model = arena_str(rd->c->arena, text_of(v));
    return true;
}

/* ---- the document */

static bool read_result(struct reading *rd, struct json_object *result, struct import_label *l)
{
    struct import_chunk *c = rd->c;
    struct label_doc_info info;
    struct label_problem problem = {.pointer = "/result"};
    unsigned flags = LABEL_DOC_GIVE_IDS | (l->prelabel ? LABEL_DOC_PARTIAL : 0);
    size_t from = c->docs.n;

    if (!json_object_is_type(result, json_type_array))
        return bad(rd, ERR_INVALID, "/result", "must be an array of result items");
    enum err e = label_doc_canon(
        rd->im->r->project->config, result, rd->data, flags, &c->docs, &info, &problem);
    if (e) {
        c->docs.n = from;
        return bad(rd, e, problem.pointer, e == ERR_LABEL_INVALID ? problem.why : err_title(e));
    }
    l->off = from;
    l->bytes = c->docs.n - from;
    l->regions = info.regions;
    l->sha256 = sha256_of((struct str){c->docs.p + from, l->bytes});
    return true;
}

static void keep(struct reading *rd, const struct import_label *l)
{
    struct import_chunk *c = rd->c;

    if (c->nlabels == c->labels_cap) {
        size_t cap = c->labels_cap ? 2 * c->labels_cap : 64;
        struct import_label *labels = arena_array(c->arena, cap, sizeof(*labels));
        if (c->nlabels)
            memcpy(labels, c->labels, c->nlabels * sizeof(*labels));
        c->labels = labels;
        c->labels_cap = cap;
    }
    c->labels[c->nlabels++] = *l;
    c->bytes += sizeof(*l) + l->bytes;
}

static bool read_annotation(struct reading *rd, struct json_object *entry)
{
    struct import_label l = {.item = rd->c->items + 1, .seq = rd->seq + 1, .score = -1};

    if (!json_object_is_type(entry, json_type_object))
        return bad(rd, ERR_INVALID, "", "must be an object");
    if (is_true(entry, "was_cancelled")) { /* a skip, not a label */
        rd->im->cancelled++;
        return true;
    }
    if (!read_author(rd, entry, &l) ||
        !read_number(rd, entry, "lead_time", "/lead_time", 1e9, &l.lead) ||
        !read_result(rd, get(entry, "result"), &l))
        return false;
    keep(rd, &l);
    rd->seq++;
    if (is_true(entry, "ground_truth"))
        rd->gold = rd->c->nlabels;
    return true;
}

static bool read_prediction(struct reading *rd, struct json_object *entry)
{
    struct import_label l = {
        .item = rd->c->items + 1, .prelabel = true, .seq = rd->seq + 1, .lead = -1};
    struct json_object *result, *made = NULL;

    if (json_object_is_type(entry, json_type_int)) /* an export without them: ids alone */
        return true;
    if (!json_object_is_type(entry, json_type_object))
        return bad(rd, ERR_INVALID, "", "must be an object");
    result = get(entry, "result");
    if (!json_object_is_type(result, json_type_array))
        made = import_expand(rd->im->r->project->config, rd->c->arena, result);
    bool good = read_model(rd, entry, &l) &&
                read_number(rd, entry, "score", "/score", 1, &l.score) &&
                read_result(rd, made ? made : result, &l);
    json_object_put(made);
    if (!good)
        return false;
    keep(rd, &l);
    rd->seq++;
    return true;
}

static bool read_list(struct reading *rd, struct str text, const char *name,
    bool (*read)(struct reading *rd, struct json_object *entry))
{
    struct json_object *list;
    bool good = true;

    if (text.p == NULL || str_is(text, "null"))
        return true;
    list = import_parse(rd->im, text);
    rd->list = name;
    if (!json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) > IMPORT_ITEM_LABELS) {
        char pointer[32];
        snprintf(pointer, sizeof(pointer), "/%s", name);
        import_bad(rd->im, ERR_INVALID, false, pointer, "must be an array of at most 1000");
        good = false;
    }
    for (rd->at = 0; good && rd->at < json_object_array_length(list); rd->at++)
        good = read(rd, json_object_array_get_idx(list, rd->at));
    json_object_put(list);
    return good;
}

bool import_labels(struct import *im, const struct import_item *item, int *n, int *head)
{
    struct import_chunk *c = im->fill;
    struct reading rd = {.im = im, .c = c};
    size_t labels = c->nlabels, predictions, docs = c->docs.n, bytes = c->bytes;
    int64_t cancelled = im->cancelled;

    rd.data = import_parse(im, item->data);
    bool good = read_list(&rd, item->predictions, "predictions", read_prediction);
    predictions = c->nlabels;
    good = good && read_list(&rd, item->annotations, "annotations", read_annotation);
    json_object_put(rd.data);
    if (!good) {
        c->nlabels = labels;
        c->docs.n = docs;
        c->bytes = bytes;
        im->cancelled = cancelled;
        return false;
    }
    *n = (int)(c->nlabels - labels);
    *head = (int)(rd.gold ? rd.gold : c->nlabels > predictions ? c->nlabels : 0);
    return true;
}
