/* The arguments of one command: its own options from a table, and its positional arguments.
 * The options that all commands share are base/config's and are gone before these are read. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct opt {
    const char *name; /* "project", without the dashes */
    /* Exactly one is set; there the value goes. What is not given stays as it was. */
    const char **text; /* borrowed from argv */
    int64_t *number;   /* from 0 */
    bool *flag;        /* takes no value */
    bool required;     /* text or number only */
};

/* Reads `--name VALUE` and `--name=VALUE` in any order; `--` ends them. The positional arguments
 * move to argv[1], argv[2], ... Returns how many there are, min..max, or -1 after saying what is
 * wrong (exit status 2). argv[0] names the command. */
int args_read(int argc, char **argv, const struct opt *opts, size_t nopts, int min, int max);

/* A command's second word: `annotate tenant create`. */
struct verb {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

/* Runs the verb that argv[1] names, or says which there are and returns 2. */
int args_verb(int argc, char **argv, const struct verb *verbs, size_t nverbs);

/* How many edits (one character put in, left out or changed) lead from a to b; for "did you mean".
 * Texts of 32 bytes or more count as far apart. */
int args_distance(const char *a, const char *b);

#endif
