/* Owns the walk over a directory of images. Never opens a file: the server finds out what one is.
 */
#include "cli/images.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/media_kind.h"
#include "cli/say.h"

struct images {
    FTS *fts;
    size_t root; /* bytes of the directory's name, with its slash */
    int64_t other;
    bool failed;
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

struct images *images_open(const char *dir)
{
    struct images *w = calloc(1, sizeof(*w));
    char *roots[2] = {strdup(dir), NULL};

    BUG_ON(!w || !roots[0]);
    w->root = strlen(dir);
    w->root += w->root > 0 && dir[w->root - 1] != '/';
    w->fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    free(roots[0]);
    if (!w->fts) {
        fail("%s cannot be read: %s.", dir, strerror(errno));
        free(w);
        return NULL;
    }
    return w;
}

void images_close(struct images *w)
{
    if (!w)
        return;
    fts_close(w->fts);
    free(w);
}

bool images_next(struct images *w, const char **path, const char **name)
{
    FTSENT *e;

    while ((e = fts_read(w->fts))) {
        bool hidden = e->fts_name[0] == '.' && e->fts_level > FTS_ROOTLEVEL;
        if (e->fts_info == FTS_D && hidden)
            fts_set(w->fts, e, FTS_SKIP);
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS) {
            fail("%s cannot be read: %s.", e->fts_path, strerror(e->fts_errno));
            w->failed = true;
            return false;
        }
        if (e->fts_info != FTS_F || hidden)
            continue;
        if (media_kind_of(e->fts_name) == MEDIA_IMAGE) {
            *path = e->fts_path;
            *name = e->fts_path + w->root;
            return true;
        }
        w->other++;
    }
    return false;
}

bool images_failed(const struct images *w)
{
    return w->failed;
}

int64_t images_other(const struct images *w)
{
    return w->other;
}

int64_t images_count(const char *dir)
{
    struct images *w = images_open(dir);
    const char *path, *name;
    int64_t n = 0;

    if (!w)
        return -1;
    while (images_next(w, &path, &name))
        n++;
    if (w->failed)
        n = -1;
    images_close(w);
    return n;
}
