/* Owns the worker's side of the sandbox: children come and go here, and their answers are checked.
 * The other side is sandbox_child.c. */
#include "workers/prelabel/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "workers/prelabel/sandbox_child.h"

enum { SPAWN_MS = 5000 };

struct sandbox {
    pid_t nursery;
    int control;      /* to the nursery */
    int child, pidfd; /* -1: none */
    int files;        /* that the child has done */
    int64_t busy_us;  /* that it has worked */
    int children;     /* so far */
    int file_ms;
};

enum err sandbox_start(struct sandbox **out,
    enum err (*decode)(const struct decode_spec *, struct str file, unsigned char *out))
{
    int pair[2];
    struct sandbox *s = calloc(1, sizeof(*s));

    if (!s)
        return ERR_NO_MEMORY;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        free(s);
        return ERR_UNAVAILABLE;
    }
    *s = (struct sandbox){.control = pair[0], .child = -1, .pidfd = -1, .file_ms = SANDBOX_FILE_MS};
    s->nursery = fork();
    if (s->nursery == 0)
        sandbox_nursery(pair[1], decode ? decode : decode_image); /* never returns */
    close(pair[1]);
    if (s->nursery < 0) {
        close(s->control);
        free(s);
        return ERR_UNAVAILABLE;
    }
    *out = s;
    return ERR_OK;
}

static void drop_child(struct sandbox *s)
{
    if (s->pidfd >= 0) {
        /* By descriptor, not by number: the number may be another process's by now. */
        syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, NULL, 0);
        close(s->pidfd);
    }
    if (s->child >= 0)
        close(s->child);
    s->child = s->pidfd = -1;
}

void sandbox_stop(struct sandbox *s)
{
    if (!s)
        return;
    drop_child(s);
    close(s->control); /* the nursery sees its end and leaves */
    waitpid(s->nursery, NULL, 0);
    free(s);
}

void sandbox_patience(struct sandbox *s, int file_ms)
{
    s->file_ms = file_ms;
}

int sandbox_children(const struct sandbox *s)
{
    return s->children;
}

/* Waits for `events` on fd until the deadline; false when it passed. */
static bool wait_for(int fd, short events, int64_t deadline_us)
{
    for (;;) {
        int64_t left = deadline_us - clock_mono_us();
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, left <= 0 ? 0 : (int)(left / 1000) + 1);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

static enum err send_all(int fd, const void *data, size_t n, int64_t deadline_us)
{
    const char *p = data;

    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            if (!wait_for(fd, POLLOUT, deadline_us))
                return ERR_TIMEOUT;
            continue;
        }
        if (sent < 0 && errno != EINTR)
            return ERR_CORRUPT; /* it died */
        p += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    return ERR_OK;
}

static enum err receive_all(int fd, void *data, size_t n, int64_t deadline_us)
{
    char *p = data;

    while (n) {
        if (!wait_for(fd, POLLIN, deadline_us))
            return ERR_TIMEOUT;
        ssize_t got = recv(fd, p, n, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return ERR_CORRUPT; /* it died */
        p += got > 0 ? got : 0;
        n -= got > 0 ? (size_t)got : 0;
    }
    return ERR_OK;
}

/* Asks the nursery for a child and hears it say that its fences are up. */
static enum err spawn(struct sandbox *s)
{
    int64_t deadline = clock_mono_us() + SPAWN_MS * 1000;
    struct sandbox_answer hello;
    int fds[2];

    if (send(s->control, "", 1, MSG_NOSIGNAL) != 1 || !wait_for(s->control, POLLIN, deadline) ||
        !sandbox_receive_fds(s->control, fds))
        return ERR_UNAVAILABLE;
    s->child = fds[0];
    s->pidfd = fds[1];
    s->files = 0;
    s->busy_us = 0;
    s->children++;
    if (receive_all(s->child, &hello, sizeof(hello), deadline) || hello.magic != SANDBOX_MAGIC ||
        hello.err != ERR_OK) {
        log_error("sandbox", "a child could not lock itself in");
        drop_child(s);
        return ERR_UNAVAILABLE;
    }
    return ERR_OK;
}

enum err sandbox_probe(struct sandbox *s)
{
    return s->child >= 0 ? ERR_OK : spawn(s);
}

static enum err exchange(
    struct sandbox *s, const struct decode_spec *spec, struct str file, unsigned char *out)
{
    int64_t deadline = clock_mono_us() + s->file_ms * 1000LL;
    struct sandbox_question q = {SANDBOX_MAGIC, (uint32_t)file.n, *spec};
    struct sandbox_answer a = {0};
    size_t size = decode_size(spec);

    enum err e = send_all(s->child, &q, sizeof(q), deadline);
    if (!e)
        e = send_all(s->child, file.p, file.n, deadline);
    if (!e)
        e = receive_all(s->child, &a, sizeof(a), deadline);
    if (e)
        return e;
    if (a.magic != SANDBOX_MAGIC || a.err >= ERR_COUNT || a.size != (a.err ? 0 : size))
        return ERR_CORRUPT;
    if (a.err)
        return (enum err)a.err;
    return receive_all(s->child, out, size, deadline);
}

enum err sandbox_decode(
    struct sandbox *s, const struct decode_spec *spec, struct str file, unsigned char *out)
{
    if (file.n > DECODE_FILE)
        return ERR_TOO_LARGE;
    if (s->child >= 0 && (s->files >= SANDBOX_FILES || s->busy_us >= SANDBOX_CHILD_MS * 1000LL))
        drop_child(s);
    enum err e = sandbox_probe(s);
    if (e)
        return e;
    int64_t start = clock_mono_us();
    e = exchange(s, spec, file, out);
    s->busy_us += clock_mono_us() - start;
    s->files++;
    if (e)
        drop_child(s); /* whatever that file did to it is gone with it */
    return e;
}
