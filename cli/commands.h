/* The table of the tool's commands, in the order of --help; ends with a row whose name is NULL. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct command commands[];

#endif
