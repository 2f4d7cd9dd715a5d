/* Owns YOLO's data sets for classification: SPLIT/CLASS/NAME.jpg, the class is the folder. The
 * class of a picture is what the config's first Choices for pictures says of it; classes.json says
 * which class a folder is, as few names can be a folder's. Source: docs.ultralytics.com/datasets,
 * classify. */
#include <stdio.h>

#include "formats/answer.h"
#include "formats/classes.h"
#include "formats/exporter.h"
#include "formats/media.h"
#include "formats/picture.h"

enum { FOLDER_MAX = 60 };

struct classify {
    const struct label_control *control;
    struct classes classes; /* as they are met */
};

static bool none(const struct label_control *control)
{
    (void)control;
    return false;
}

static enum err begin(struct exporter *x)
{
    struct classify *c = export_state(x, sizeof(*c));

    for (const struct label_control *k = export_config(x)->controls; k && !c->control; k = k->next)
        if (classes_of_choices(k) && !k->per_region && media_judged_by(k, MEDIA_PICTURE))
            c->control = k;
    if (!c->control)
        return export_refuse(x, "yolo-classify needs Choices of an Image object");
    classes_init(&c->classes, export_arena(x), export_config(x), none);
    return ERR_OK;
}

/* ---- folders */

static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
                (name.p[i] >= '0' && name.p[i] <= '9') || strchr("_-.", name.p[i])))
            return false;
    return name.n > 0 && name.n <= FOLDER_MAX && name.p[0] != '.';
}

/* The name itself, or what can be said of it and the beginning of its SHA-256, which keeps it apart
 * from others whatever else there is. */
static const char *folder_of(struct str name, struct arena *a)
{
    char *folder = arena_alloc(a, FOLDER_MAX + 20);
    size_t n = 0;

    if (is_plain(name))
        return arena_copy(a, name.p, name.n);
    for (size_t i = 0; i < name.n && n < FOLDER_MAX; i++) {
        if (is_plain((struct str){name.p + i, 1}))
            folder[n++] = name.p[i];
        else if (n == 0 || folder[n - 1] != '_')
            folder[n++] = '_';
    }
    snprintf(folder + n, 20, "-%08llx", (unsigned long long)(sha256_u64(sha256_of(name)) >> 32));
    return folder;
}

/* ---- pictures */

/* Empty: it has none. */
static struct str class_of(struct exporter *x, const struct classify *c,
    const struct pictures *pictures, const struct picture *p, struct arena *a)
{
    struct str class = STR("");

    for (size_t i = 0; i < pictures->drawing.nanswers; i++) {
        struct shape_answer *answer = &pictures->drawing.answers[i];
        if (!picture_judged(p, c->control, answer))
            continue;
        answer->told = true;
        for (size_t k = 0; k < answer_count(answer->said); k++) {
            if (class.n)
                export_lost(x, "choices");
            else
                class = answer_text(answer->said, k, a);
        }
    }
    return class;
}

static enum err put_picture(struct exporter *x, const char *split, const struct pictures *pictures,
    const struct picture *p, struct arena *a)
{
    struct classify *c = export_state(x, sizeof(*c));
    struct str class = class_of(x, c, pictures, p, a);
    char path[CONTAINER_PATH_MAX];

    for (size_t i = 0; i < p->nshapes; i++)
        picture_lost(x, p->shapes[i]);
    if (!class.n || !p->asset) {
        export_lost(x, class.n ? "pictures.elsewhere" : "pictures.unlabelled");
        return ERR_OK;
    }
    if (classes_find(&c->classes, class) == SIZE_MAX)
        return ERR_FULL;
    snprintf(path, sizeof(path), "%.64s/%s/%s%s", split, folder_of(class, a), p->name, p->suffix);
    return export_media(x, path, p->asset);
}

/* What is not split is all for training. */
static enum err item(struct exporter *x, const struct export_item *i)
{
    struct arena *a = arena_new();
    const char *split = i->split.n ? export_split(i, a) : "train";
    struct pictures pictures;
    enum err e = pictures_read(x, i, a, &pictures);

    for (size_t k = 0; !e && k < pictures.n; k++)
        e = put_picture(x, split, &pictures, &pictures.v[k], a);
    if (!e)
        picture_rest_lost(x, &pictures);
    arena_free(a);
    return e;
}

/* {"folder":"class"}; those that are called otherwise are counted. */
static enum err end(struct exporter *x)
{
    const struct classify *c = export_state(x, sizeof(*c));
    struct arena *a = arena_new();
    struct buf out;
    enum err e;

    buf_init(&out, BUF_MAX_PACK);
    buf_putc(&out, '{');
    for (size_t i = 0; i < c->classes.n; i++) {
        const char *folder = folder_of(c->classes.names[i], a);
        if (!str_is(c->classes.names[i], folder))
            export_lost(x, "names");
        buf_puts(&out, i ? ",\n" : "\n");
        buf_json(&out, str_of(folder));
        buf_putc(&out, ':');
        buf_json(&out, c->classes.names[i]);
    }
    buf_puts(&out, "\n}\n");
    e = buf_err(&out) ? buf_err(&out) : export_file(x, "classes.json", buf_view(&out));
    buf_release(&out);
    arena_free(a);
    return e;
}

const struct format format_yolo_classify = {
    .name = "yolo-classify",
    .about = "YOLO for classification: pictures in a folder a class",
    .media_type = "application/json",
    .extension = ".json",
    .tree = true,
    .media = true,
    .classes = true,
    .begin = begin,
    .item = item,
    .end = end,
};
