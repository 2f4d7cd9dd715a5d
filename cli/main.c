/* The command-line tool: takes the common options (base/config) out of the arguments, wherever they
 * stand, and runs one command of commands.c. Owns no command itself. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/say.h"

#define SUMMARY "annotate: the command-line tool of the annotation backend"

/* Names of the options that base/config reads for this program. */
#define SERVER   PROGRAM_SERVER
#define PRELABEL PROGRAM_PRELABEL
#define STREAM   PROGRAM_STREAM
#define EXPORT   PROGRAM_EXPORT
#define UPKEEP   PROGRAM_UPKEEP
#define CLI      PROGRAM_CLI
static const struct common {
    const char *name;
    unsigned programs;
} common[] = {
#define CONFIG(name, type, dflt, min, max, programs, doc) {#name, (unsigned)(programs)},
#include "base/config.def"
#undef CONFIG
    {"config", PROGRAM_CLI},
};

/* True for "--token-file" and "--token-file=x"; *own_value tells which. */
static bool is_common(const char *arg, bool *own_value)
{
    struct str rest = str_of(arg), name;
    char text[64];

    if (!str_starts(rest, STR("--")))
        return false;
    rest = (struct str){rest.p + 2, rest.n - 2};
    if (!str_split(&rest, '=', &name) || name.n >= sizeof(text))
        return false;
    *own_value = rest.p != NULL;
    for (size_t i = 0; i <= name.n; i++)
        text[i] = i == name.n ? '\0' : name.p[i] == '-' ? '_' : name.p[i];
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        if ((common[i].programs & PROGRAM_CLI) && strcmp(text, common[i].name) == 0)
            return true;
    return false;
}

/* Parts argv into the common options and the rest; both arrays have room for argc + 1. */
static void part(int argc, char **argv, char **options, int *noptions, char **rest, int *nrest)
{
    bool own_value, ended = false;

    *noptions = *nrest = 0;
    options[(*noptions)++] = argv[0];
    for (int i = 1; i < argc; i++) {
        ended |= strcmp(argv[i], "--") == 0;
        if (ended || !is_common(argv[i], &own_value)) {
            rest[(*nrest)++] = argv[i];
            continue;
        }
        options[(*noptions)++] = argv[i];
        if (!own_value && i + 1 < argc)
            options[(*noptions)++] = argv[++i];
    }
    options[*noptions] = rest[*nrest] = NULL;
}

static int print_summary(FILE *out, int status)
{
    fputs("Usage: annotate [OPTIONS] COMMAND [ARGUMENTS]\n\n"
          "The command-line tool of the annotation backend.\n\nCommands:\n",
        out);
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "  %-10s %s\n", c->name, c->summary);
    fputs(
        "\n`annotate COMMAND --help` tells all about one. `annotate --help` lists the options that "
        "all share.\n",
        out);
    return status;
}

static int print_help(void)
{
    print_summary(stdout, 0);
    fputs("\nOptions, before or after the command's name, also as variables ANNOTATE_<NAME> or "
          "lines\n`name = value` of a --config file:\n",
        stdout);
    config_help(PROGRAM_CLI);
    fputs("  --config FILE\n        read settings from FILE\n  --version\n        print the "
          "version\n\nExit status: 0 done, 1 failed, 2 wrong usage.\n",
        stdout);
    return 0;
}

static int print_command(const struct command *c)
{
    printf("Usage: annotate %s %s\n\n%s.\n\n%s", c->name, c->args, c->summary, c->help);
    fputs("\nOptions that all commands share:\n", stdout);
    config_help(PROGRAM_CLI);
    fputs("\nExit status: 0 done, 1 failed, 2 wrong usage.\n", stdout);
    return 0;
}

static const struct command *find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int unknown(const char *name)
{
    const struct command *best = NULL;
    int distance = 3; /* more edits than two are no typing error */

    for (const struct command *c = commands; c->name; c++) {
        int d = args_distance(name, c->name);
        if (d < distance) {
            distance = d;
            best = c;
        }
    }
    if (best)
        fail("there is no command \"%s\". Did you mean `%s`?", name, best->name);
    else
        fail("there is no command \"%s\"; `annotate --help` lists those there are.", name);
    return 2;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    if (argc == 0)
        return print_summary(stderr, 2);
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
        (strcmp(argv[0], "help") == 0 && argc == 1))
        return print_help();
    if (strcmp(argv[0], "--version") == 0) {
        puts("annotate " ANNOTATE_VERSION);
        return 0;
    }
    bool help = strcmp(argv[0], "help") == 0;
    const char *name = argv[help ? 1 : 0];
    if (name[0] == '-') {
        fail("there is no option %s; `annotate --help` lists those there are.", name);
        return 2;
    }
    const struct command *c = find(name);
    if (!c)
        return unknown(name);
    return help || wants_help(argc, argv) ? print_command(c) : c->run(argc, argv);
}

int main(int argc, char **argv)
{
    char **options = calloc((size_t)argc + 1, sizeof(*options));
    char **rest = calloc((size_t)argc + 1, sizeof(*rest));
    int noptions, nrest;

    BUG_ON(!options || !rest);
    part(argc, argv, options, &noptions, rest, &nrest);
    (void)config_load(
        PROGRAM_CLI, SUMMARY, noptions, options); /* leaves nothing: all are options */
    log_init("annotate", config_str(CONFIG_log_level));
    int status = run(nrest, rest);
    if (fflush(stdout) != 0 || ferror(stdout))
        status = fail("standard output could not be written.");
    free(options);
    free(rest);
    return status;
}
