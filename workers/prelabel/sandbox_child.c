/* Owns the fences: what a child may do and how long. Everything here runs in the nursery or in its
 * children, single-threaded. */
#include "workers/prelabel/sandbox_child.h"

#include <errno.h>
#include <linux/close_range.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workers/prelabel/sandbox.h"

/* Sanitizers map terabytes of shadow memory. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WITH_SHADOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WITH_SHADOW 1
#endif
#endif
#ifndef WITH_SHADOW
#define WITH_SHADOW 0
#endif

enum { SOCKET = 3, DESCRIPTORS = 8 };

/* Passing descriptors */

union fd_message {
    char bytes[CMSG_SPACE(2 * sizeof(int))];
    struct cmsghdr align;
};

static bool send_fds(int control, const int fds[2])
{
    union fd_message space = {{0}};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = space.bytes,
        .msg_controllen = sizeof(space.bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
    return sendmsg(control, &m, MSG_NOSIGNAL) == 1;
}

bool sandbox_receive_fds(int control, int fds[2])
{
    union fd_message space = {{0}};
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = space.bytes,
        .msg_controllen = sizeof(space.bytes)};

    if (recvmsg(control, &m, MSG_CMSG_CLOEXEC) != 1)
        return false;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
        return false;
    memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
    return true;
}

/* The fences */

static bool limit(int what, rlim_t value)
{
    return setrlimit((__rlimit_resource_t)what, &(struct rlimit){value, value}) == 0;
}

static bool set_limits(void)
{
    bool ok = limit(RLIMIT_CPU, SANDBOX_CPU_S) && limit(RLIMIT_FSIZE, 0) &&
              limit(RLIMIT_NOFILE, DESCRIPTORS) && limit(RLIMIT_CORE, 0);

    return ok && (WITH_SHADOW || limit(RLIMIT_AS, SANDBOX_MEMORY));
}

/* Reading, writing, memory and leaving; no opening, no sockets, no processes, no code pages. */
static bool load_filter(void)
{
    static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close),
        SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex),
        SCMP_SYS(clock_gettime), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
        SCMP_SYS(poll)};
    static const int memory[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    bool ok = filter != NULL;
    for (size_t i = 0; ok && i < ARRAY_LEN(allowed); i++)
        ok = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    for (size_t i = 0; ok && i < ARRAY_LEN(memory); i++)
        ok = seccomp_rule_add(filter, SCMP_ACT_ALLOW, memory[i], 1,
                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    ok = ok && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return ok;
}

static bool lock_in(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           set_limits() && load_filter();
}

/* The child's work */

static bool read_all(void *data, size_t n)
{
    char *p = data;

    while (n) {
        ssize_t got = read(SOCKET, p, n);
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static bool write_all(const void *data, size_t n)
{
    const char *p = data;

    while (n) {
        ssize_t sent = write(SOCKET, p, n);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool answer(enum err e, const unsigned char *pixels, size_t size)
{
    struct sandbox_answer a = {SANDBOX_MAGIC, (uint32_t)e, e ? 0 : (uint32_t)size};

    return write_all(&a, sizeof(a)) && (e || write_all(pixels, size));
}

static bool serve_one(enum err (*decode)(const struct decode_spec *, struct str, unsigned char *))
{
    struct sandbox_question q;

    if (!read_all(&q, sizeof(q)) || q.magic != SANDBOX_MAGIC || q.size > DECODE_FILE)
        return false;
    size_t size = decode_size(&q.spec);
    char *file = malloc(q.size ? q.size : 1);
    unsigned char *pixels = malloc(size);
    bool ok = file && pixels && read_all(file, q.size) &&
              answer(decode(&q.spec, (struct str){file, q.size}, pixels), pixels, size);
    free(file);
    free(pixels);
    return ok;
}

__attribute__((noreturn)) static void child(
    int fd, enum err (*decode)(const struct decode_spec *, struct str, unsigned char *))
{
    if (dup2(fd, SOCKET) != SOCKET || close_range(SOCKET + 1, ~0U, 0) != 0)
        _exit(1);
    if (!lock_in()) {
        bool told = answer(ERR_UNAVAILABLE, NULL, 0);
        _exit(told ? 1 : 2);
    }
    if (answer(ERR_OK, NULL, 0))
        while (serve_one(decode))
            ;
    _exit(0);
}

/* The nursery */

static bool raise_child(
    int control, enum err (*decode)(const struct decode_spec *, struct str, unsigned char *))
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    pid_t pid = fork();
    if (pid == 0)
        child(pair[1], decode);
    close(pair[1]);
    int fds[2] = {pair[0], pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0)};
    bool ok = fds[1] >= 0 && send_fds(control, fds);
    close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
    return ok;
}

void sandbox_nursery(
    int control, enum err (*decode)(const struct decode_spec *, struct str, unsigned char *))
{
    char byte;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* A terminal's ^C is for the worker, which finishes first. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
    if (dup2(control, SOCKET) == SOCKET && close_range(SOCKET + 1, ~0U, 0) == 0)
        while (recv(SOCKET, &byte, 1, 0) == 1 && raise_child(SOCKET, decode))
            ;
    _exit(0);
}
