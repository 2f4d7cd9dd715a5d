/* Owns blobs as files under one directory: key = path below it, temporary files in `.tmp` beside
 * them. Never leaves the directory (openat2 RESOLVE_BENEATH, no symbolic links) and never shows a
 * file under its key before it is whole and on the disk (I6). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "storage/blob_fs.h"

enum {
    IOV_BATCH = 64,
    WRITE_BEHIND = 8 << 20, /* bytes of a streamed put */
    READ_CHUNK = 64 << 10,
    STALE_TMP_S = 24 * 3600, /* an upload still under way is never this old */
    TMP_NAME = 33,
};

struct fs_upload {
    int fd;
    char name[TMP_NAME];  /* below .tmp */
    off_t written, begun; /* of it: what the disk has been told of */
};

/* errno as an error, logged. Never ERR_NOT_FOUND: who means that asks for ENOENT first. */
static enum err os_error(const char *op, const char *key)
{
    int no = errno;
    const char *why = strerrordesc_np(no);

    log_error("blob_fs", "%s %s: %s", op, key, why ? why : "unknown error");
    return no == ENOSPC || no == EDQUOT ? ERR_UNAVAILABLE : ERR_IO;
}

/* What openat2 does below, step by step, for kernels and sandboxes without it. */
static int open_steps(int root, const char *path, int flags)
{
    struct str rest = str_of(path), seg;
    int at = root, fd = -1;

    while (str_split(&rest, '/', &seg)) {
        char name[BLOB_KEY_MAX + 1];
        bool last = rest.n == 0;
        snprintf(name, sizeof(name), "%.*s", STR_FMT(seg));
        fd = openat(at, name, last ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW);
        int no = errno;
        if (at != root)
            close(at);
        errno = no;
        at = fd;
        if (fd < 0)
            break;
    }
    return fd;
}

int blob_fs_open(struct fs *fs, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    if (!atomic_load(&fs->no_openat2)) {
        int fd = (int)syscall(SYS_openat2, fs->root, path, &how, sizeof(how));
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
            return fd;
        atomic_store(&fs->no_openat2, true);
    }
    return open_steps(fs->root, path, flags | O_CLOEXEC);
}

static enum err sync_dir(int dir, const char *what)
{
    enum err e = FAULT("blob.put.fsync_dir");

    if (e)
        return e;
    return fsync(dir) ? os_error("fsync directory of", what) : ERR_OK;
}

/* Makes one directory below an open parent, and its entry durable. */
static enum err make_dir(int parent, const char *name)
{
    if (mkdirat(parent, name, 0700) && errno != EEXIST)
        return os_error("mkdir", name);
    return sync_dir(parent, name);
}

/* Makes the directories of `key` and opens the last one. Every one of them is synced by every
 * process that relies on it: that it exists does not say that whoever made it came to its fsync. */
static enum err open_dir_of(struct fs *fs, const char *key, int *out)
{
    char dir[BLOB_KEY_MAX + 1] = ".";
    struct str rest = str_of(key), seg;
    size_t n = 0;
    enum err e = ERR_OK;

    *out = dup(fs->root);
    while (!e && *out >= 0 && str_split(&rest, '/', &seg) && rest.n > 0) {
        char name[BLOB_KEY_MAX + 1];
        snprintf(name, sizeof(name), "%.*s", STR_FMT(seg));
        n += (size_t)snprintf(dir + n, sizeof(dir) - n, n ? "/%s" : "%s", name);
        uint64_t hash = sha256_u64(sha256_of((struct str){dir, n}));
        _Atomic uint64_t *slot = &fs->known[hash % KNOWN_DIRS];
        if (atomic_load(slot) != hash) {
            e = make_dir(*out, name);
            if (!e)
                atomic_store(slot, hash);
        }
        close(*out);
        *out = e ? -1 : blob_fs_open(fs, dir, O_RDONLY | O_DIRECTORY);
    }
    if (!e && *out < 0)
        e = os_error("open the directory of", key);
    return e;
}

static enum err fs_put_begin(struct blob_store *s, void **upload)
{
    struct fs *fs = s->state;
    struct fs_upload *u = calloc(1, sizeof(*u));
    unsigned char id[(TMP_NAME - 1) / 2];

    BUG_ON(!u);
    random_bytes(id, sizeof(id));
    for (size_t i = 0; i < sizeof(id); i++)
        snprintf(u->name + 2 * i, 3, "%02x", id[i]);
    u->fd = openat(fs->tmp, u->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (u->fd < 0) {
        enum err e = os_error("create", u->name);
        free(u);
        return e;
    }
    *upload = u;
    return ERR_OK;
}

static void fs_put_abort(struct blob_store *s, void *upload)
{
    struct fs *fs = s->state;
    struct fs_upload *u = upload;

    close(u->fd);
    unlinkat(fs->tmp, u->name, 0);
    free(u);
}

/* Writes all of iov[0..n), which it uses up. */
static enum err write_all(struct fs_upload *u, struct iovec *iov, int n)
{
    while (n > 0) {
        ssize_t done = writev(u->fd, iov, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return os_error("write", u->name);
        for (; n > 0 && (size_t)done >= iov->iov_len; iov++, n--)
            done -= (ssize_t)iov->iov_len;
        if (n > 0) {
            iov->iov_base = (char *)iov->iov_base + done;
            iov->iov_len -= (size_t)done;
        }
        enum err e = FAULT("blob.put.write");
        if (e)
            return e;
    }
    return ERR_OK;
}

static enum err fs_put_write(struct blob_store *s, void *upload, const void *p, size_t n)
{
    struct iovec iov = {(void *)(uintptr_t)p, n};
    struct fs_upload *u = upload;
    enum err e = n ? write_all(u, &iov, 1) : ERR_OK;

    (void)s;
    u->written += (off_t)n;
    /* The disk is at work while the body still comes, so that the fsync of a large one is short. A
     * wish: what fails is told by fsync. */
    if (!e && u->written - u->begun >= WRITE_BEHIND) {
        sync_file_range(u->fd, u->begun, u->written - u->begun, SYNC_FILE_RANGE_WRITE);
        u->begun = u->written;
    }
    return e;
}

static enum err sync_file(struct fs_upload *u)
{
    enum err e = FAULT("blob.put.fsync");

    if (e)
        return e;
    return fsync(u->fd) ? os_error("fsync", u->name) : ERR_OK;
}

/* So that "was not stored anew since" and the removal are one step: who gives a file its name has
 * this shared, who removes an old one alone. Where a file system has no locks nothing old is
 * removed. -1: not had; else to be closed. */
static int lock_names(struct fs *fs, int how)
{
    int fd = openat(fs->root, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    while (fd >= 0 && flock(fd, how)) {
        if (errno == EINTR)
            continue;
        int code = errno;
        close(fd);
        errno = code;
        fd = -1;
    }
    return fd;
}

static enum err rename_to(struct fs *fs, struct fs_upload *u, int dir, const char *key)
{
    const char *slash = strrchr(key, '/');
    enum err e = FAULT("blob.put.rename");

    if (e)
        return e;
    int lock = lock_names(fs, LOCK_SH);
    if (lock < 0 && errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS)
        return os_error("lock names for", key);
    /* Over an existing file too: the same key means the same bytes, and readers keep the old one.
     */
    if (renameat(fs->tmp, u->name, dir, slash ? slash + 1 : key))
        e = os_error("rename to", key);
    if (lock >= 0)
        close(lock);
    return e;
}

/* The order is the durability (I6): content, directories, name, the name's directory. */
static enum err fs_put_commit(struct blob_store *s, void *upload, const char *key)
{
    struct fs *fs = s->state;
    struct fs_upload *u = upload;
    int dir = -1;
    enum err e = sync_file(u);

    if (!e)
        e = open_dir_of(fs, key, &dir);
    if (!e)
        e = rename_to(fs, u, dir, key);
    if (e) {
        if (dir >= 0)
            close(dir);
        fs_put_abort(s, u);
        return e;
    }
    e = sync_dir(dir, key);
    close(dir);
    close(u->fd);
    free(u);
    return e;
}

static enum err write_parts(struct fs_upload *u, const struct str *parts, size_t nparts)
{
    struct iovec iov[IOV_BATCH];
    enum err e = ERR_OK;
    int n = 0;

    for (size_t i = 0; i < nparts && !e; i++) {
        if (parts[i].n)
            iov[n++] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].n};
        if (n == IOV_BATCH || i + 1 == nparts) {
            e = write_all(u, iov, n);
            n = 0;
        }
    }
    return e;
}

static enum err fs_put(
    struct blob_store *s, const char *key, const struct str *parts, size_t nparts)
{
    void *u;
    enum err e = fs_put_begin(s, &u);

    if (e)
        return e;
    e = write_parts(u, parts, nparts);
    if (e) {
        fs_put_abort(s, u);
        return e;
    }
    return fs_put_commit(s, u, key);
}

/* Opens the object of a key for reading and says its size. */
static enum err open_object(struct fs *fs, const char *key, int *fd, int64_t *bytes)
{
    struct stat st;

    *fd = blob_fs_open(fs, key, O_RDONLY | O_NONBLOCK);
    if (*fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : os_error("open", key);
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *bytes = st.st_size;
        return ERR_OK;
    }
    close(*fd);
    return ERR_NOT_FOUND;
}

static enum err read_range(int fd, const char *key, int64_t off, int64_t len, struct buf *out)
{
    char chunk[READ_CHUNK];

    while (len > 0) {
        size_t want = len < READ_CHUNK ? (size_t)len : READ_CHUNK;
        ssize_t n = pread(fd, chunk, want, off);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            bool lost = errno == EIO; /* the disk has it no more */
            enum err e = os_error("read", key);
            return lost ? ERR_CORRUPT : e;
        }
        if (n == 0) /* objects never shrink: somebody cut this one */
            return ERR_CORRUPT;
        buf_add(out, chunk, (size_t)n);
        off += n;
        len -= n;
    }
    return buf_err(out);
}

static enum err fs_get(
    struct blob_store *s, const char *key, int64_t off, int64_t len, struct buf *out)
{
    int64_t bytes;
    int fd;
    enum err e = open_object(s->state, key, &fd, &bytes);

    if (e)
        return e;
    if (off > bytes || len > bytes - off) {
        e = ERR_RANGE;
    } else {
        len = len ? len : bytes - off;
        e = (uint64_t)len > out->max - out->n ? ERR_FULL : read_range(fd, key, off, len, out);
    }
    close(fd);
    return e;
}

static enum err fs_size(struct blob_store *s, const char *key, int64_t *bytes)
{
    int fd;
    enum err e = open_object(s->state, key, &fd, bytes);

    if (!e)
        close(fd);
    return e;
}

static enum err fs_open_fd(struct blob_store *s, const char *key, int *fd)
{
    int64_t bytes;

    return open_object(s->state, key, fd, &bytes);
}

/* Removes a file; `before` is not 0: only if it is older. */
static enum err remove_file(struct fs *fs, const char *key, int64_t before, bool *removed)
{
    const char *slash = strrchr(key, '/');
    char dir[BLOB_KEY_MAX + 1] = ".";
    enum err e = FAULT("blob.remove");
    struct stat st;
    int fd;

    if (e)
        return e;
    if (slash)
        snprintf(dir, sizeof(dir), "%.*s", (int)(slash - key), key);
    fd = blob_fs_open(fs, dir, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_OK : os_error("open", dir);
    const char *name = slash ? slash + 1 : key;
    if (before && (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_mtime >= before))
        ; /* gone, or stored anew */
    else if ((*removed = unlinkat(fd, name, 0) == 0))
        e = fsync(fd) ? os_error("fsync directory of", key) : ERR_OK;
    else if (errno != ENOENT)
        e = os_error("unlink", key);
    close(fd);
    return e;
}

static enum err fs_remove(struct blob_store *s, const char *key)
{
    bool removed = false;

    return remove_file(s->state, key, 0, &removed);
}

static enum err fs_remove_older(
    struct blob_store *s, const char *key, int64_t before, bool *removed)
{
    struct fs *fs = s->state;
    int lock = lock_names(fs, LOCK_EX);

    if (lock < 0)
        return os_error("lock names for", key);
    enum err e = remove_file(fs, key, before, removed);
    close(lock);
    return e;
}

/* What crashed writers left behind. */
static void sweep_tmp(int tmp)
{
    int fd = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    time_t old = time(NULL) - STALE_TMP_S; /* against file times, so the system's clock */
    struct stat st;

    for (struct dirent *entry; d && (entry = readdir(d));)
        if (fstatat(tmp, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtime < old)
            unlinkat(tmp, entry->d_name, 0);
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

/* The root's own path is the administrator's: it may be relative and may pass symbolic links. */
static enum err make_root(const char *path)
{
    struct str rest = str_of(path), seg;
    int at = open(path[0] == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = at < 0 ? os_error("open", path) : ERR_OK;

    while (!e && str_split(&rest, '/', &seg)) {
        char name[256];
        int next;
        if (seg.n == 0)
            continue;
        snprintf(name, sizeof(name), "%.*s", STR_FMT(seg));
        next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (next < 0 && errno == ENOENT) {
            e = make_dir(at, name);
            next = e ? -1 : openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        close(at);
        at = next;
        if (!e && at < 0)
            e = os_error("open", path);
    }
    if (at >= 0)
        close(at);
    return e;
}

static void fs_close(struct blob_store *s)
{
    struct fs *fs = s->state;

    if (!fs)
        return;
    if (fs->root >= 0)
        close(fs->root);
    if (fs->tmp >= 0)
        close(fs->tmp);
    free(fs);
    s->state = NULL;
}

static enum err fs_open(struct blob_store *s, struct str rest)
{
    struct fs *fs = calloc(1, sizeof(*fs));
    char path[4096];
    enum err e;

    BUG_ON(!fs);
    fs->root = fs->tmp = -1;
    s->state = fs;
    if (rest.n == 0 || rest.n >= sizeof(path)) {
        log_error("blob_fs", "fs: wants a directory");
        return ERR_INVALID;
    }
    snprintf(path, sizeof(path), "%.*s", STR_FMT(rest));
    e = make_root(path);
    if (e)
        return e;
    fs->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fs->root < 0)
        return os_error("open", path);
    e = make_dir(fs->root, ".tmp");
    if (e)
        return e;
    fs->tmp = blob_fs_open(fs, ".tmp", O_RDONLY | O_DIRECTORY);
    if (fs->tmp < 0)
        return os_error("open .tmp of", path);
    sweep_tmp(fs->tmp);
    return ERR_OK;
}

const struct blob_backend blob_fs = {
    .scheme = "fs",
    .open = fs_open,
    .close = fs_close,
    .put = fs_put,
    .get = fs_get,
    .size = fs_size,
    .open_fd = fs_open_fd,
    .remove = fs_remove,
    .remove_older = fs_remove_older,
    .list = blob_fs_list,
    .put_begin = fs_put_begin,
    .put_write = fs_put_write,
    .put_commit = fs_put_commit,
    .put_abort = fs_put_abort,
};
