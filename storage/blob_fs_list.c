/* Owns listing the objects of the fs backend: a walk through its directories, name by name in
 * order, so that it can be taken up at any key. Never changes a file. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/blob_fs.h"

struct listing {
    struct fs *fs;
    int left;
    void (*each)(void *arg, const struct blob_entry *entry);
    void *arg;
};

struct names {
    char **v;
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_read(struct names *names, struct fs *fs, const char *dir)
{
    int fd = blob_fs_open(fs, dir, O_RDONLY | O_DIRECTORY);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (entry->d_name[0] == '.')
            continue;
        if ((names->n & (names->n - 1)) == 0) {
            names->v = realloc(names->v, (names->n ? 2 * names->n : 1) * sizeof(*names->v));
            BUG_ON(!names->v);
        }
        names->v[names->n] = strdup(entry->d_name);
        BUG_ON(!names->v[names->n++]);
    }
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    if (names->n)
        qsort(names->v, names->n, sizeof(*names->v), by_name);
}

/* What lies in a directory, in order, behind the path `after` below it (NULL: all). Directories
 * that go meanwhile have nothing. */
static void list_dir(struct listing *l, const char *dir, struct str after)
{
    struct names names = {NULL, 0};
    struct str first;
    bool resumed = after.p && str_split(&after, '/', &first);

    names_read(&names, l->fs, dir);
    for (size_t i = 0; i < names.n; i++) {
        char key[BLOB_KEY_MAX + 1];
        struct stat st;
        int order = resumed ? str_cmp(str_of(names.v[i]), first) : 1;
        int n = snprintf(key, sizeof(key), "%s/%s", dir, names.v[i]);
        free(names.v[i]);
        if (order < 0 || l->left == 0 || n > BLOB_KEY_MAX)
            continue;
        int fd = blob_fs_open(l->fs, key, O_PATH);
        if (fd < 0)
            continue;
        bool there = fstat(fd, &st) == 0;
        close(fd);
        if (there && S_ISDIR(st.st_mode)) {
            list_dir(l, key, order == 0 ? after : (struct str){NULL, 0});
        } else if (there && S_ISREG(st.st_mode) && order > 0) {
            l->left--;
            l->each(l->arg, &(struct blob_entry){key, st.st_size, st.st_mtime});
        }
    }
    free(names.v);
}

enum err blob_fs_list(struct blob_store *s, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg)
{
    struct listing l = {s->state, most, each, arg};
    struct str rest = {NULL, 0}, below = str_of(prefix);

    if (after && str_starts(str_of(after), below) && after[below.n] == '/')
        rest = str_of(after + below.n + 1);
    else if (after)
        return ERR_INVALID;
    list_dir(&l, prefix, rest);
    return ERR_OK;
}
