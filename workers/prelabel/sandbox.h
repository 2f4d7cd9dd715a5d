/* Runs decode_image() where a hostile file can do no harm: in a child process that can read and
 * write one socket and nothing else (seccomp), with limits on memory and processor time.
 *
 * A small process forked at start (the nursery, single-threaded) forks the children, so that no
 * thread or lock of the worker is ever copied. A child serves many files and is replaced after
 * SANDBOX_FILES of them, after any error, and when it dies. What it answers is checked: its length
 * is the one asked for, or it is not believed. */
#ifndef PRELABEL_SANDBOX_H
#define PRELABEL_SANDBOX_H

#include "workers/prelabel/decode.h"

enum {
    SANDBOX_FILES = 500,
    SANDBOX_FILE_MS = 15000,  /* wall time of one file; then its child is killed */
    SANDBOX_CHILD_MS = 20000, /* work of one child; then it is replaced */
    SANDBOX_CPU_S = 40,       /* the kernel's own limit, above both */
    SANDBOX_MEMORY = 1 << 30, /* address space, bytes */
};

struct sandbox;

/* Before the process starts threads. decode: NULL = decode_image(); tests give another. */
enum err sandbox_start(struct sandbox **out,
    enum err (*decode)(const struct decode_spec *, struct str file, unsigned char *out)) MUSTCHECK;
/* One caller at a time. As decode_image(), and: ERR_TOO_LARGE for more than DECODE_FILE bytes,
 * ERR_CORRUPT when the child died of this file or answered nonsense, ERR_TIMEOUT,
 * ERR_UNAVAILABLE when there is no child to be had (try again later). */
enum err sandbox_decode(struct sandbox *s, const struct decode_spec *spec, struct str file,
    unsigned char *out) MUSTCHECK;
/* ERR_UNAVAILABLE when this machine lets no child lock itself in: better known at the start. */
enum err sandbox_probe(struct sandbox *s) MUSTCHECK;
/* Another limit than SANDBOX_FILE_MS. */
void sandbox_patience(struct sandbox *s, int file_ms);
/* Children started so far: for tests and the log. */
int sandbox_children(const struct sandbox *s);
void sandbox_stop(struct sandbox *s);

#endif
