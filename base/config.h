/* The settings of all programs, from one table (config.def): options, variables, file, --help.
 * Values are read once at start and never change; strings live as long as the process. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdint.h>

#include "base/err.h"

enum program {
    PROGRAM_SERVER = 1,
    PROGRAM_PRELABEL = 2,
    PROGRAM_STREAM = 4,
    PROGRAM_EXPORT = 8,
    PROGRAM_UPKEEP = 16,
    PROGRAM_CLI = 32,
};

enum config_key {
#define CONFIG(name, type, dflt, min, max, programs, doc) CONFIG_##name,
#include "base/config.def"
#undef CONFIG
    CONFIG_COUNT
};

/* Reads options (--name VALUE or --name=VALUE) that belong to `program` out of argv, then
 * variables, then the --config file. Handles --help, --version and --config-table (prints and exits
 * 0). Stops at the first argument that is no option and returns its index (argc if none). On a bad
 * option or value prints what and where, and exits with 2. */
int config_load(enum program program, const char *summary, int argc, char **argv);

const char *config_str(enum config_key key);
int64_t config_int(enum config_key key);

/* Prints the options of a program, one paragraph each, to stdout. */
void config_help(enum program program);

/* For tests: sets one value as an option would. */
void config_set(enum config_key key, const char *value);

#endif
