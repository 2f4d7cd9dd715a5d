/* Owns the form of the tool's messages. Never prints a token, a password or a body. */
#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>

int fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("annotate: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return 1;
}

int misuse(const char *command, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "annotate %s: ", command);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nSee `annotate %s --help`.\n", command);
    va_end(ap);
    return 2;
}
