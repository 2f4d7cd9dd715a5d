/* The files that a task shows: pictures, sounds, films, pages. What they are called in an export is
 * decided here, the same for all formats. */
#ifndef FORMATS_MEDIA_H
#define FORMATS_MEDIA_H

#include "formats/format.h"

enum media_kind {
    MEDIA_PICTURE = 1 << 0,
    MEDIA_SOUND = 1 << 1,
    MEDIA_FILM = 1 << 2,
    MEDIA_PAGES = 1 << 3,
    MEDIA_ANY = (1 << 4) - 1,
};

struct media {
    const char *name;   /* without directory or suffix: the task's number in ten digits, "_2" behind
                           it for a second file: no other task's, no character that needs care */
    const char *suffix; /* ".jpg" */
    struct str url;     /* as the task's data says it */
    const struct export_asset *asset;  /* NULL: not stored here */
    const struct label_object *object; /* that shows it */
    int64_t index;                     /* its place in the object's list: item_index */
};

struct media_list {
    struct media *v;
    size_t n;
};

enum { MEDIA_MAX = 10000 };

/* Those of the kinds, in the order of the config's objects and of their lists; not more than
 * MEDIA_MAX. In the arena. */
struct media_list media_find(
    const struct exporter *x, const struct export_item *i, unsigned kinds, struct arena *a);
bool media_shown_by(const struct label_object *object, unsigned kinds);
/* The control is for an object that shows such files. */
bool media_judged_by(const struct label_control *control, unsigned kinds);

#endif
