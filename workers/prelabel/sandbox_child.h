/* The other side of the sandbox's sockets: the nursery and its children. Private to sandbox*.c. */
#ifndef PRELABEL_SANDBOX_CHILD_H
#define PRELABEL_SANDBOX_CHILD_H

#include <stdbool.h>

#include "workers/prelabel/decode.h"

enum { SANDBOX_MAGIC = 0x616e6e31 };

/* Frames of the child's socket: a question is followed by `size` bytes of file, an answer by
 * `size` bytes of pixels. The first answer, unasked, says that the child is locked in. */
struct sandbox_question {
    uint32_t magic, size;
    struct decode_spec spec;
};

struct sandbox_answer {
    uint32_t magic, err, size;
};

/* Forks a child for each byte on `control`, and sends back its socket and its pidfd. */
__attribute__((noreturn)) void sandbox_nursery(
    int control, enum err (*decode)(const struct decode_spec *, struct str, unsigned char *));

/* Takes what the nursery sent; false when it sent anything else. */
bool sandbox_receive_fds(int control, int fds[2]);

#endif
