/* What the tool says when something is wrong: plain sentences on stderr, each with what to do. */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include "base/err.h"

/* "annotate: ..." and a newline on stderr. Returns 1, the status of a command that failed. */
int fail(const char *fmt, ...) PRINTF(1, 2);

/* The same and a pointer to the command's help. Returns 2, the status of wrong usage. */
int misuse(const char *command, const char *fmt, ...) PRINTF(2, 3);

#endif
