/* Owns the table of readers, and what they share. Reads no format. */
#include "formats/reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/sniff.h"

static const struct format_reader *const readers[] = {&reader_coco, &reader_yolo,
    &reader_yolo_segment, &reader_yolo_obb, &reader_yolo_pose, &reader_voc, &reader_cvat,
    &reader_label_studio};

const struct format_reader *reader_at(size_t i)
{
    return i < ARRAY_LEN(readers) ? readers[i] : NULL;
}

const struct format_reader *reader_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        if (str_is(name, readers[i]->name))
            return readers[i];
    return NULL;
}

enum err reader_open(struct reader *r, const struct format_reader *format, struct file_set *source,
    const struct label_config *config, struct str split)
{
    *r = (struct reader){
        .source = source, .config = config, .split = split, .format = format, .arena = arena_new()};
    return format->open(r);
}

enum err reader_next(struct reader *r, struct arena *a, struct reader_item *out, bool *got)
{
    *out = (struct reader_item){.file = SIZE_MAX};
    *got = false;
    return r->format->next(r, a, out, got);
}

void reader_close(struct reader *r)
{
    if (r->format && r->format->close)
        r->format->close(r);
    arena_free(r->arena);
    r->arena = NULL;
}

/* ---- errors */

enum err reader_bad(struct reader *r, struct str file, const char *where, const char *fmt, ...)
{
    va_list ap;

    snprintf(r->where, sizeof(r->where), "%.*s%s%s", STR_FMT(file), *where ? ", " : "", where);
    va_start(ap, fmt);
    vsnprintf(r->why, sizeof(r->why), fmt, ap);
    va_end(ap);
    return ERR_INVALID;
}

enum err reader_failed(struct reader *r, struct str file, enum err e)
{
    r->over = e == ERR_IO;
    if (e == ERR_TOO_LARGE || e == ERR_FULL)
        return reader_bad(r, file, "", "has more than %d MiB", FILE_SET_PLAIN >> 20);
    return reader_bad(r, file, "", "cannot be read: %s", err_title(e));
}

void reader_note(struct reader *r, const char *name)
{
    size_t i = 0;

    while (i < r->nnotes && strcmp(r->notes[i].name, name) != 0)
        i++;
    if (i == READER_NOTES)
        i--; /* the last row is whatever came too late for one of its own */
    if (i == r->nnotes) {
        bool last = ++r->nnotes == READER_NOTES;
        snprintf(r->notes[i].name, READER_NOTE, "%s", last ? "other" : name);
    }
    r->notes[i].times++;
}

/* ---- pictures */

static struct str directory_of(struct str path)
{
    while (path.n && path.p[path.n - 1] != '/')
        path.n--;
    return path; /* with its slash */
}

static size_t find_in(
    const struct reader *r, struct str base, struct str dir, struct str split, struct str name)
{
    char path[3 * FILE_SET_NAME + 1];
    int n = snprintf(path, sizeof(path), "%.*s%.*s%s%.*s%s%.*s", STR_FMT(base), STR_FMT(dir),
        dir.n ? "/" : "", STR_FMT(split), split.n ? "/" : "", STR_FMT(name));

    return n > 0 && (size_t)n < sizeof(path)
               ? file_set_find(r->source, (struct str){path, (size_t)n})
               : SIZE_MAX;
}

size_t reader_picture(const struct reader *r, struct str beside, struct str dir, struct str split,
    struct str name, bool *several)
{
    const struct str none = {"", 0};
    struct str base = directory_of(beside), up = base;
    size_t at = SIZE_MAX;

    *several = false;
    if (name.n == 0 || name.n > FILE_SET_NAME)
        return SIZE_MAX;
    up.n -= up.n > 0;
    up = directory_of(up); /* "annotations/x.json" speaks of what lies beside "annotations" */
    const struct str bases[] = {up, base};
    for (size_t i = 0; at == SIZE_MAX && i < ARRAY_LEN(bases); i++) {
        at = find_in(r, bases[i], dir, split, name);
        if (at == SIZE_MAX)
            at = find_in(r, bases[i], dir, none, name);
        if (at == SIZE_MAX)
            at = find_in(r, bases[i], none, split, name);
        if (at == SIZE_MAX)
            at = find_in(r, bases[i], none, none, name);
    }
    return at != SIZE_MAX ? at : file_set_find_end(r->source, name, several);
}

const char *reader_suffix(size_t i)
{
    static const char *const suffixes[] = {
        ".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".JPG", ".JPEG", ".PNG"};

    return i < ARRAY_LEN(suffixes) ? suffixes[i] : NULL;
}

bool reader_is_picture(struct str name, struct str *stem)
{
    for (size_t i = 0; reader_suffix(i); i++) {
        size_t n = strlen(reader_suffix(i));
        if (name.n > n && memcmp(name.p + name.n - n, reader_suffix(i), n) == 0) {
            *stem = (struct str){name.p, name.n - n};
            return true;
        }
    }
    return false;
}

void reader_sides(struct reader *r, size_t file, double *width, double *height)
{
    char head[SNIFF_BYTES];
    ssize_t n = file_set_read(r->source, file, 0, head, sizeof(head));
    struct media m = sniff((struct str){head, n > 0 ? (size_t)n : 0});

    *width = m.width > 0 && m.height > 0 ? m.width : 0;
    *height = *width > 0 ? m.height : 0;
}

struct str reader_split(struct str path, struct str dir)
{
    struct str rest = path, part;

    while (str_split(&rest, '/', &part))
        if (str_eq(part, dir) && rest.p && memchr(rest.p, '/', rest.n)) {
            (void)str_split(&rest, '/', &part);
            return part;
        }
    return STR("");
}

bool reader_wants(const struct reader *r, struct str split)
{
    return r->split.n == 0 || str_eq(r->split, split);
}

/* ---- numbers and shapes */

bool reader_number(struct str text, double *out)
{
    char digits[64], *end;

    if (text.n == 0 || text.n >= sizeof(digits))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!memchr("0123456789+-.eE", text.p[i], 15))
            return false;
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    *out = strtod(digits, &end);
    return *end == '\0' && isfinite(*out);
}

struct mark *reader_mark(
    struct reader_item *item, struct arena *a, enum shape_kind kind, struct str label)
{
    size_t n = item->nmarks;
    struct mark *m;

    if (n == READER_MARKS)
        return NULL;
    if ((n & (n - 1)) == 0) { /* it doubles at every power of two */
        struct mark *all = arena_array(a, n ? 2 * n : 1, sizeof(*all));
        if (n)
            memcpy(all, item->marks, n * sizeof(*all));
        item->marks = all;
    }
    m = &item->marks[item->nmarks++];
    *m = (struct mark){.where = ""};
    m->shape.kind = kind;
    m->shape.labels = arena_alloc(a, sizeof(struct str));
    m->shape.labels[0] = label;
    m->shape.nlabels = 1;
    return m;
}

enum err reader_mask(struct reader_item *item, struct arena *a, struct mark *m)
{
    size_t width = (size_t)item->width, height = (size_t)item->height;

    item->mask_bytes += (width + 7) / 8 * height; /* both at most MASK_SIDE */
    return item->mask_bytes <= READER_MASKS ? mask_new(a, width, height, &m->mask) : ERR_TOO_LARGE;
}

double reader_quad(const struct point c[4], struct shape *s)
{
    struct point at[4] = {c[0], c[1], c[2], c[3]}, is[4];
    double turn = (c[1].x - c[0].x) * (c[3].y - c[0].y) - (c[1].y - c[0].y) * (c[3].x - c[0].x);
    double most = 0;

    if (turn < 0) { /* counter-clockwise: ours go the other way */
        at[1] = c[3];
        at[3] = c[1];
    }
    s->kind = SHAPE_BOX;
    s->x = at[0].x;
    s->y = at[0].y;
    s->w = hypot(at[1].x - at[0].x, at[1].y - at[0].y);
    s->h = hypot(at[3].x - at[0].x, at[3].y - at[0].y);
    s->rotation = atan2(at[1].y - at[0].y, at[1].x - at[0].x) * (180 / M_PI);
    if (s->rotation < 0)
        s->rotation += 360;
    shape_corners(s, is);
    for (size_t i = 0; i < 4; i++)
        most = fmax(most, hypot(is[i].x - at[i].x, is[i].y - at[i].y));
    return most;
}
