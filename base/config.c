/* Owns the settings table. Never holds a secret's value, only the names of files. */
#include "base/config.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

enum type { STR_, INT_ };

struct setting {
    const char *name, *dflt, *doc;
    enum type type;
    int64_t min, max;
    unsigned programs;
};

#define SERVER   PROGRAM_SERVER
#define PRELABEL PROGRAM_PRELABEL
#define STREAM   PROGRAM_STREAM
#define EXPORT   PROGRAM_EXPORT
#define UPKEEP   PROGRAM_UPKEEP
#define CLI      PROGRAM_CLI
static const struct setting settings[CONFIG_COUNT] = {
#define CONFIG(name, type, dflt, min, max, programs, doc)                                          \
    [CONFIG_##name] = {#name, dflt, doc, type##_, min, max, (unsigned)(programs)},
#include "base/config.def"
#undef CONFIG
};

static const char *values[CONFIG_COUNT];

__attribute__((noreturn)) static void bad(const char *where, const char *name, const char *why)
{
    fprintf(stderr, "%s: %s: %s (see --help)\n", where, name, why);
    exit(2);
}

static void set(size_t key, const char *value, const char *where)
{
    const struct setting *s = &settings[key];
    int64_t v;

    if (s->type == INT_) {
        if (!str_int(str_of(value), &v))
            bad(where, s->name, "must be a whole number");
        if (v < s->min || v > s->max) {
            char why[96];
            snprintf(why, sizeof(why), "must be from %lld to %lld", (long long)s->min,
                (long long)s->max);
            bad(where, s->name, why);
        }
    }
    values[key] = value;
}

/* '-' and '_' are the same in option names. */
static bool same_name(const char *name, struct str given)
{
    if (strlen(name) != given.n)
        return false;
    for (size_t i = 0; i < given.n; i++)
        if (name[i] != (given.p[i] == '-' ? '_' : given.p[i]))
            return false;
    return true;
}

static size_t find(unsigned program, struct str name)
{
    for (size_t i = 0; i < CONFIG_COUNT; i++)
        if ((settings[i].programs & program) && same_name(settings[i].name, name))
            return i;
    return CONFIG_COUNT;
}

void config_help(enum program program)
{
    for (size_t i = 0; i < CONFIG_COUNT; i++) {
        const struct setting *s = &settings[i];
        char option[64];
        if (!(s->programs & program))
            continue;
        snprintf(option, sizeof(option), "%s", s->name);
        for (char *p = option; *p; p++)
            if (*p == '_')
                *p = '-';
        printf("  --%s %s\n        %s (default: %s)\n", option, s->type == INT_ ? "N" : "VALUE",
            s->doc, *s->dflt ? s->dflt : "none");
    }
}

static void help(enum program program, const char *summary)
{
    printf(
        "%s\n\nOptions, also as variables ANNOTATE_<NAME> or lines `name = value` of the --config "
        "file:\n",
        summary);
    config_help(program);
    printf("  --config FILE\n        read settings from FILE\n  --config-table\n        print the "
           "settings as tab-separated lines\n"
           "  --help\n        print this\n  --version\n        print the version\n");
    exit(0);
}

static void table(enum program program)
{
    for (size_t i = 0; i < CONFIG_COUNT; i++)
        if (settings[i].programs & program)
            printf("%s\t%s\t%s\n", settings[i].name, settings[i].type == INT_ ? "int" : "str",
                settings[i].dflt);
    exit(0);
}

static void load_file(enum program program, const char *path, const bool *given)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    if (!f)
        bad(path, "config", "cannot be read");
    while ((n = getline(&line, &cap, f)) > 0) {
        struct str rest = str_trim((struct str){line, (size_t)n}), name;
        if (rest.n == 0 || rest.p[0] == '#')
            continue;
        str_split(&rest, '=', &name);
        if (!rest.p)
            bad(path, line, "is not `name = value`");
        /* A file may serve several programs: rows of others are checked for their name only. */
        size_t key = find(~0U, str_trim(name));
        if (key == CONFIG_COUNT)
            bad(path, line, "is not a setting");
        if ((settings[key].programs & program) && !given[key]) {
            struct str v = str_trim(rest);
            set(key, strndup(v.p, v.n), path);
        }
    }
    free(line);
    fclose(f);
}

static void load_variables(enum program program, bool *given)
{
    for (size_t i = 0; i < CONFIG_COUNT; i++) {
        char name[80] = "ANNOTATE_";
        size_t n = strlen(name);
        for (const char *p = settings[i].name; *p && n + 1 < sizeof(name); p++)
            name[n++] = (char)toupper((unsigned char)*p);
        const char *value = getenv(name);
        if (value && (settings[i].programs & program) && !given[i]) {
            set(i, value, name);
            given[i] = true;
        }
    }
}

int config_load(enum program program, const char *summary, int argc, char **argv)
{
    bool given[CONFIG_COUNT] = {false};
    const char *file = NULL;
    int i = 1;

    for (size_t k = 0; k < CONFIG_COUNT; k++)
        values[k] = settings[k].dflt;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        struct str rest = str_of(argv[i] + 2), name;
        if (rest.n == 0) {
            i++;
            break;
        }
        str_split(&rest, '=', &name);
        if (str_is(name, "help"))
            help(program, summary);
        if (str_is(name, "config-table"))
            table(program);
        if (str_is(name, "version")) {
            printf("%s %s\n", argv[0], ANNOTATE_VERSION);
            exit(0);
        }
        const char *value = rest.p ? rest.p : (i + 1 < argc ? argv[++i] : NULL);
        if (!value)
            bad(argv[0], argv[i], "needs a value");
        if (str_is(name, "config")) {
            file = value;
            continue;
        }
        size_t key = find(program, name);
        if (key == CONFIG_COUNT)
            bad(argv[0], argv[i], "is not an option");
        set(key, value, argv[0]);
        given[key] = true;
    }
    load_variables(program, given);
    if (file)
        load_file(program, file, given);
    return i;
}

const char *config_str(enum config_key key)
{
    return values[key] ? values[key] : settings[key].dflt;
}

int64_t config_int(enum config_key key)
{
    int64_t v = 0;

    BUG_ON(!str_int(str_of(config_str(key)), &v));
    return v;
}

void config_set(enum config_key key, const char *value)
{
    set(key, value, "config_set");
}
