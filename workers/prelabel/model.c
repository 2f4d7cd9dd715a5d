/* Owns reading descriptors and model files. Never accepts a member that it does not know: a
 * misspelt "invert" would label everything wrong in silence. */
#include "workers/prelabel/model.h"

#include <dirent.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "core/json_tree.h"

enum { DESCRIPTOR_BYTES = 1 << 20, WHY = 160 };

/* What reads one member into m; false = not acceptable. */
struct member {
    const char *name;
    bool required;
    bool (*read)(struct model *m, struct json_object *v);
};

static bool read_text(char *out, size_t size, struct json_object *v)
{
    if (!json_object_is_type(v, json_type_string))
        return false;
    size_t n = (size_t)json_object_get_string_len(v);
    if (n == 0 || n >= size)
        return false;
    memcpy(out, json_object_get_string(v), n + 1);
    return true;
}

static bool read_int(int *out, int min, int max, struct json_object *v)
{
    if (!json_object_is_type(v, json_type_int))
        return false;
    int64_t n = json_object_get_int64(v);
    *out = (int)n;
    return n >= min && n <= max;
}

static bool read_float(float *out, struct json_object *v)
{
    if (!json_object_is_type(v, json_type_double) && !json_object_is_type(v, json_type_int))
        return false;
    *out = (float)json_object_get_double(v);
    return isfinite(*out);
}

static bool read_bool(bool *out, struct json_object *v)
{
    *out = json_object_get_boolean(v);
    return json_object_is_type(v, json_type_boolean);
}

/* The index of a string among `words`. */
static bool read_word(int *out, const char *const *words, int n, struct json_object *v)
{
    char text[MODEL_NAME + 1];

    if (!read_text(text, sizeof(text), v))
        return false;
    for (*out = 0; *out < n; ++*out)
        if (strcmp(words[*out], text) == 0)
            return true;
    return false;
}

static bool read_floats(float *out, struct json_object *v)
{
    size_t n = json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 0;

    for (size_t i = 0; i < n && i < MODEL_CHANNELS; i++)
        if (!read_float(&out[i], json_object_array_get_idx(v, i)))
            return false;
    return n > 0 && n <= MODEL_CHANNELS;
}

static enum err read_members(struct model *m, struct json_object *object,
    const struct member *members, size_t n, const char *where, char *why)
{
    if (!json_object_is_type(object, json_type_object)) {
        snprintf(why, WHY, "%s must be an object", *where ? where : "the descriptor");
        return ERR_INVALID;
    }
    json_object_object_foreach(object, key, unused)
    {
        size_t i = 0;
        (void)unused;
        while (i < n && strcmp(members[i].name, key) != 0)
            i++;
        if (i == n) {
            snprintf(why, WHY, "%s/%.64s is not known", where, key);
            return ERR_INVALID;
        }
    }
    for (size_t i = 0; i < n; i++) {
        struct json_object *v;
        bool there = json_object_object_get_ex(object, members[i].name, &v);
        if (there ? !members[i].read(m, v) : members[i].required) {
            snprintf(
                why, WHY, "%s/%s is %s", where, members[i].name, there ? "not valid" : "missing");
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}

/* Members of "input" */

static bool in_name(struct model *m, struct json_object *v)
{
    return read_text(m->input, sizeof(m->input), v);
}
static bool in_width(struct model *m, struct json_object *v)
{
    return read_int(&m->width, 1, MODEL_SIDE, v);
}
static bool in_height(struct model *m, struct json_object *v)
{
    return read_int(&m->height, 1, MODEL_SIDE, v);
}
static bool in_channels(struct model *m, struct json_object *v)
{
    return read_int(&m->channels, 1, MODEL_CHANNELS, v) && m->channels != 2;
}
static bool in_layout(struct model *m, struct json_object *v)
{
    static const char *const words[] = {[LAYOUT_NCHW] = "NCHW", [LAYOUT_NHWC] = "NHWC"};
    int i;

    bool ok = read_word(&i, words, ARRAY_LEN(words), v);
    m->layout = (enum layout)i;
    return ok;
}
static bool in_order(struct model *m, struct json_object *v)
{
    static const char *const words[] = {"RGB", "BGR"};
    int i;

    bool ok = read_word(&i, words, ARRAY_LEN(words), v);
    m->bgr = i == 1;
    return ok;
}
static bool in_scale(struct model *m, struct json_object *v)
{
    return read_float(&m->scale, v);
}
static bool in_mean(struct model *m, struct json_object *v)
{
    return read_floats(m->mean, v);
}
static bool in_std(struct model *m, struct json_object *v)
{
    if (!read_floats(m->std, v))
        return false;
    for (size_t i = 0; i < MODEL_CHANNELS; i++)
        if (!(m->std[i] > 0))
            return false;
    return true;
}
static bool in_invert(struct model *m, struct json_object *v)
{
    return read_bool(&m->invert, v);
}

static const struct member input_members[] = {
    {"name", true, in_name},
    {"width", true, in_width},
    {"height", true, in_height},
    {"channels", true, in_channels},
    {"layout", false, in_layout},
    {"order", false, in_order},
    {"scale", false, in_scale},
    {"mean", false, in_mean},
    {"std", false, in_std},
    {"invert", false, in_invert},
};

/* Members of "output" */

static bool out_name(struct model *m, struct json_object *v)
{
    return read_text(m->output, sizeof(m->output), v);
}
static bool out_activation(struct model *m, struct json_object *v)
{
    static const char *const words[] = {[ACTIVATION_NONE] = "none",
        [ACTIVATION_SOFTMAX] = "softmax",
        [ACTIVATION_SIGMOID] = "sigmoid"};
    int i;

    bool ok = read_word(&i, words, ARRAY_LEN(words), v);
    m->activation = (enum activation)i;
    return ok;
}

static const struct member output_members[] = {
    {"name", true, out_name},
    {"activation", true, out_activation},
};

/* Members of the descriptor; "input" and "output" are read by model_parse(), for better messages.
 */

static bool top_name(struct model *m, struct json_object *v)
{
    return read_text(m->name, sizeof(m->name), v) && !strchr(m->name, '@');
}
static bool top_version(struct model *m, struct json_object *v)
{
    return read_int(&m->version, 1, INT32_MAX, v);
}
static bool top_task(struct model *m, struct json_object *v)
{
    static const char *const words[] = {"classification"};
    int i;

    (void)m;
    return read_word(&i, words, ARRAY_LEN(words), v);
}
static bool top_file(struct model *m, struct json_object *v)
{
    return read_text(m->file, sizeof(m->file), v) && !strchr(m->file, '/') && m->file[0] != '.';
}
static bool top_sha256(struct model *m, struct json_object *v)
{
    return json_object_is_type(v, json_type_string) &&
           sha256_parse(str_of(json_object_get_string(v)), &m->sha256);
}
static bool top_object(struct model *m, struct json_object *v)
{
    (void)m;
    return json_object_is_type(v, json_type_object);
}
static bool top_batch(struct model *m, struct json_object *v)
{
    return read_int(&m->max_batch, 1, MODEL_BATCH, v);
}
static bool top_text(struct model *m, struct json_object *v)
{
    (void)m;
    return json_object_is_type(v, json_type_string);
}
static bool top_labels(struct model *m, struct json_object *v)
{
    char text[MODEL_LABEL + 1];
    size_t n = json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 0;

    if (n < 2 || n > MODEL_LABELS)
        return false;
    m->labels = calloc(n, sizeof(*m->labels));
    for (size_t i = 0; m->labels && i < n; i++) {
        if (!read_text(text, sizeof(text), json_object_array_get_idx(v, i)))
            return false;
        for (int k = 0; k < m->nlabels; k++)
            if (strcmp(m->labels[k], text) == 0)
                return false;
        m->labels[m->nlabels] = strdup(text);
        if (!m->labels[m->nlabels++])
            return false;
    }
    return m->labels != NULL;
}

static const struct member members[] = {
    {"name", true, top_name},
    {"version", true, top_version},
    {"task", true, top_task},
    {"file", true, top_file},
    {"sha256", true, top_sha256},
    {"input", true, top_object},
    {"output", true, top_object},
    {"labels", true, top_labels},
    {"max_batch", false, top_batch},
    {"licence", false, top_text},
    {"description", false, top_text},
};

enum err model_parse(struct model *m, struct str json, char *why)
{
    struct json_object *root = NULL;
    struct json_error error;

    *m = (struct model){.scale = 1.0F / 255, .std = {1, 1, 1}, .max_batch = 1};
    enum err e = json_tree_parse(json, JSON_DEPTH_REQUEST, &root, &error);
    if (e) {
        snprintf(why, WHY, "not JSON at byte %zu: %.100s", error.at, error.why);
        return e;
    }
    e = read_members(m, root, members, ARRAY_LEN(members), "", why);
    if (!e)
        e = read_members(m, json_object_object_get(root, "input"), input_members,
            ARRAY_LEN(input_members), "/input", why);
    if (!e)
        e = read_members(m, json_object_object_get(root, "output"), output_members,
            ARRAY_LEN(output_members), "/output", why);
    json_object_put(root);
    return e;
}

void model_release(struct model *m)
{
    for (int i = 0; m->labels && i < m->nlabels; i++)
        free(m->labels[i]);
    free(m->labels);
    *m = (struct model){0};
}

/* Files */

static enum err read_file(int dir, const char *name, size_t max, struct buf *out)
{
    char chunk[64 * 1024];
    struct stat st;
    ssize_t n;

    buf_init(out, max);
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ERR_NOT_FOUND;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return ERR_IO;
    }
    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        buf_add(out, chunk, (size_t)n);
    close(fd);
    if (n < 0)
        return ERR_IO;
    return buf_err(out) == ERR_FULL ? ERR_TOO_LARGE : buf_err(out);
}

enum err model_read(const struct model *m, const char *directory, struct buf *out)
{
    buf_init(out, MODEL_BYTES);
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return ERR_NOT_FOUND;
    enum err e = read_file(dir, m->file, MODEL_BYTES, out);
    close(dir);
    if (!e && !sha256_eq(sha256_of(buf_view(out)), m->sha256))
        e = ERR_CORRUPT;
    return e;
}

static enum err load_one(const char *directory, const char *name, struct model **out)
{
    char why[WHY] = "";
    struct buf text;
    struct model *m = calloc(1, sizeof(*m));
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    enum err e = m && dir >= 0 ? read_file(dir, name, DESCRIPTOR_BYTES, &text) : ERR_NO_MEMORY;
    if (!e)
        e = model_parse(m, buf_view(&text), why);
    if (m && dir >= 0)
        buf_release(&text);
    if (dir >= 0)
        close(dir);
    if (e) {
        log_error("model", "%s/%s: %s %s", directory, name, err_slug(e), why);
        if (m)
            model_release(m);
        free(m);
        return e;
    }
    *out = m;
    return ERR_OK;
}

static int is_descriptor(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

enum err model_set_load(struct model_set *s, const char *directory)
{
    struct dirent **names = NULL;

    *s = (struct model_set){0};
    int n = scandir(directory, &names, is_descriptor, alphasort);
    if (n > 0)
        s->models = calloc((size_t)n, sizeof(*s->models));
    for (int i = 0; i < n; i++) {
        if (s->models && load_one(directory, names[i]->d_name, &s->models[s->n]) == ERR_OK)
            s->n++;
        free(names[i]);
    }
    free(names);
    if (s->n)
        return ERR_OK;
    model_set_release(s);
    return ERR_NOT_FOUND;
}

void model_set_release(struct model_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        model_release(s->models[i]);
        free(s->models[i]);
    }
    free(s->models);
    *s = (struct model_set){0};
}
