/* Owns reading a command's arguments. Never knows what they mean. */
#include "cli/args.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/say.h"

/* The command whose arguments are read, for messages: `tenant` also while its verb's are. */
static const char *reading;

static const struct opt *find(const struct opt *opts, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(name, opts[i].name))
            return &opts[i];
    return NULL;
}

/* Stores one value; 0, or 2 after saying why it cannot be. */
static int store(const struct opt *o, const char *value)
{
    if (!value || (!*value && o->number))
        return misuse(reading, "--%s needs a value.", o->name);
    if (o->text) {
        *o->text = value;
        return 0;
    }
    if (!str_int(str_of(value), o->number) || *o->number < 0)
        return misuse(reading, "--%s must be a whole number from 0, not \"%s\".", o->name, value);
    return 0;
}

/* Reads the option at argv[*i], moving *i past a value of its own. */
static int read_option(int argc, char **argv, int *i, const struct opt *opts, size_t n, bool *given)
{
    struct str rest = str_of(argv[*i] + 2), name;

    str_split(&rest, '=', &name);
    const struct opt *o = find(opts, n, name);
    if (!o)
        return misuse(reading, "there is no option --%.*s.", STR_FMT(name));
    given[o - opts] = true;
    if (!o->flag)
        return store(o, rest.p ? rest.p : *i + 1 < argc ? argv[++*i] : NULL);
    if (rest.p)
        return misuse(reading, "--%s takes no value.", o->name);
    *o->flag = true;
    return 0;
}

static int check_count(int count, int min, int max, char **argv)
{
    if (count > max)
        return misuse(reading, "\"%s\" is one argument too many.", argv[max + 1]);
    if (count < min)
        return misuse(reading, "an argument is missing.");
    return 0;
}

int args_read(int argc, char **argv, const struct opt *opts, size_t nopts, int min, int max)
{
    enum { MAX_OPTS = 16 };
    bool given[MAX_OPTS] = {false}, ended = false;
    int count = 0;

    BUG_ON(nopts > MAX_OPTS);
    if (!reading)
        reading = argv[0];
    for (int i = 1; i < argc; i++) {
        if (ended || strncmp(argv[i], "--", 2) != 0)
            argv[++count] = argv[i];
        else if (!argv[i][2])
            ended = true;
        else if (read_option(argc, argv, &i, opts, nopts, given))
            return -1;
    }
    for (size_t i = 0; i < nopts; i++)
        if (opts[i].required && !given[i]) {
            misuse(reading, "--%s is required.", opts[i].name);
            return -1;
        }
    return check_count(count, min, max, argv) ? -1 : count;
}

int args_verb(int argc, char **argv, const struct verb *verbs, size_t nverbs)
{
    for (size_t i = 0; argc > 1 && i < nverbs; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) {
            reading = argv[0];
            return verbs[i].run(argc - 1, argv + 1);
        }
    char list[128] = "";
    for (size_t i = 0; i < nverbs; i++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", verbs[i].name);
    }
    return misuse(argv[0], "it must be followed by one of: %s.", list);
}

static int min3(int a, int b, int c)
{
    int m = a < b ? a : b;

    return m < c ? m : c;
}

int args_distance(const char *a, const char *b)
{
    enum { MAX = 32 };
    int row[MAX + 1];
    size_t na = strlen(a), nb = strlen(b);

    if (na >= MAX || nb >= MAX)
        return INT_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[nb];
}
