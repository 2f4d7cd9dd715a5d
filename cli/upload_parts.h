/* A large file uploaded in parts: the server keeps what has arrived, and the same file again goes
 * on there, after whatever interrupted it. */
#ifndef CLI_UPLOAD_PARTS_H
#define CLI_UPLOAD_PARTS_H

#include "cli/api.h"

/* From this size on; below it a file is sent in one piece. */
enum { UPLOAD_PARTS_FROM = 64 << 20 };

/* Leaves the last answer in a->answer: the asset, when all went well. Sends `size` bytes of fd from
 * `start` on, and reads them twice: once to know their hashes. Tries again what may pass. */
enum err upload_parts(struct api *a, int fd, int64_t start, int64_t size) MUSTCHECK;

#endif
