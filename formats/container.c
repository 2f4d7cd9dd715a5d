/* Owns the writing of archives, by libarchive. Never opens a file. */
#include "formats/container.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"

enum { MTIME = 315532800 /* 1980-01-01, the first day a zip can say */ };

static const struct {
    const char *name, *media_type, *extension;
} kinds[] = {
    [CONTAINER_FILE] = {"file", "application/octet-stream", ""},
    [CONTAINER_TAR] = {"tar", "application/x-tar", ".tar"},
    [CONTAINER_TAR_ZST] = {"tar.zst", "application/zstd", ".tar.zst"},
    [CONTAINER_ZIP] = {"zip", "application/zip", ".zip"},
};

struct container {
    enum container_kind kind;
    struct archive *a;           /* NULL: CONTAINER_FILE */
    struct archive_entry *entry; /* used again for each file */
    struct buf *out;
    int64_t left; /* bytes announced and not added yet */
    bool open;    /* between begin and end */
    bool used;    /* CONTAINER_FILE has its file */
};

const char *container_name(size_t i)
{
    return i < ARRAY_LEN(kinds) ? kinds[i].name : NULL;
}

bool container_find(struct str name, enum container_kind *out)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(name, kinds[i].name)) {
            *out = (enum container_kind)i;
            return true;
        }
    return false;
}

const char *container_media_type(enum container_kind k)
{
    return kinds[k].media_type;
}

const char *container_extension(enum container_kind k)
{
    return kinds[k].extension;
}

static la_ssize_t append(struct archive *a, void *arg, const void *p, size_t n)
{
    struct container *c = arg;

    if (!c->out) /* being freed */
        return (la_ssize_t)n;
    buf_add(c->out, p, n);
    if (!buf_err(c->out))
        return (la_ssize_t)n;
    archive_set_error(a, ENOMEM, "%s", err_title(buf_err(c->out)));
    return -1;
}

/* A warning says that something of the entry was not written: as bad as a failure. */
static enum err checked(const struct container *c, int status)
{
    if (status == ARCHIVE_OK)
        return ERR_OK;
    if (buf_err(c->out))
        return buf_err(c->out);
    log_error("container", "%s: %s", kinds[c->kind].name, archive_error_string(c->a));
    return ERR_IO;
}

static int set_format(struct container *c)
{
    int status = ARCHIVE_OK;

    if (c->kind == CONTAINER_ZIP)
        return archive_write_set_format_zip(c->a);
    status = archive_write_set_format_pax_restricted(c->a);
    if (!status && c->kind == CONTAINER_TAR_ZST)
        status = archive_write_add_filter_zstd(c->a);
    return status;
}

enum err container_new(struct container **out, enum container_kind kind, struct buf *bytes)
{
    struct container *c = calloc(1, sizeof(*c));
    enum err e = ERR_OK;

    *out = NULL;
    if (!c)
        return ERR_NO_MEMORY;
    c->kind = kind;
    c->out = bytes;
    if (kind != CONTAINER_FILE) {
        c->a = archive_write_new();
        c->entry = archive_entry_new();
        if (!c->a || !c->entry)
            e = ERR_NO_MEMORY;
        if (!e)
            e = checked(c, set_format(c));
        if (!e)
            e = checked(c, archive_write_set_bytes_per_block(c->a, 0));
        if (!e)
            e = checked(c, archive_write_open(c->a, c, NULL, append, NULL));
    }
    if (e)
        container_free(c);
    else
        *out = c;
    return e;
}

static bool plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* Names that no file system, archive or shell reads in a second way. */
bool container_path_valid(const char *path)
{
    bool first = true;
    size_t n = strlen(path);

    for (size_t i = 0; i < n; i++) {
        if (first ? !plain(path[i]) : !plain(path[i]) && path[i] != '.' && path[i] != '/')
            return false;
        first = path[i] == '/';
    }
    return n > 0 && n <= CONTAINER_PATH_MAX && !first;
}

enum err container_begin(struct container *c, const char *path, int64_t bytes, bool packed)
{
    BUG_ON(c->open);
    if (!container_path_valid(path) || bytes < 0)
        return ERR_INVALID;
    if (!c->a && c->used)
        return ERR_CONFLICT;
    c->open = c->used = true;
    c->left = bytes;
    if (!c->a)
        return ERR_OK;
    archive_entry_clear(c->entry);
    archive_entry_set_pathname(c->entry, path);
    archive_entry_set_filetype(c->entry, AE_IFREG);
    archive_entry_set_perm(c->entry, 0644);
    archive_entry_set_mtime(c->entry, MTIME, 0);
    archive_entry_set_size(c->entry, bytes);
    if (c->kind == CONTAINER_ZIP) {
        int status = packed ? archive_write_zip_set_compression_store(c->a)
                            : archive_write_zip_set_compression_deflate(c->a);
        if (checked(c, status))
            return ERR_IO;
    }
    return checked(c, archive_write_header(c->a, c->entry));
}

enum err container_add(struct container *c, struct str bytes)
{
    BUG_ON(!c->open);
    if ((int64_t)bytes.n > c->left)
        return ERR_CORRUPT;
    c->left -= (int64_t)bytes.n;
    if (!c->a) {
        buf_str(c->out, bytes);
        return buf_err(c->out);
    }
    while (bytes.n > 0) {
        la_ssize_t n = archive_write_data(c->a, bytes.p, bytes.n);
        if (n <= 0)
            return checked(c, ARCHIVE_FATAL);
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    return ERR_OK;
}

enum err container_end(struct container *c)
{
    BUG_ON(!c->open);
    c->open = false;
    if (c->left != 0)
        return ERR_CORRUPT;
    return c->a ? checked(c, archive_write_finish_entry(c->a)) : buf_err(c->out);
}

enum err container_close(struct container *c)
{
    BUG_ON(c->open);
    return c->a ? checked(c, archive_write_close(c->a)) : buf_err(c->out);
}

void container_free(struct container *c)
{
    if (!c)
        return;
    c->out = NULL; /* it may be gone, and what is not closed yet is closed now */
    if (c->a)
        archive_write_free(c->a);
    archive_entry_free(c->entry);
    free(c);
}
