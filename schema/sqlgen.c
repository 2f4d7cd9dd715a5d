/* Host tool: turns the .sql files of schema/queries and schema/migrations into C (X-macro rows).
 * Runs at build time only. sqlgen queries OUT FILE...    -> STATEMENT(name, users, nparams, "text")
 * sqlgen migrations OUT FILE... -> MIGRATION(number, name, "text") */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("sqlgen: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t n = 0, cap = 1 << 20;
    char *text = malloc(cap);

    if (!f || !text)
        die("cannot read %s", path);
    n = fread(text, 1, cap - 1, f);
    if (n == cap - 1)
        die("%s is larger than 1 MiB", path);
    text[n] = '\0';
    fclose(f);
    return text;
}

/* "schema/queries/task_get.sql" -> "task_get" */
static char *stem(const char *path)
{
    const char *base = strrchr(path, '/');
    char *name = strdup(base ? base + 1 : path);
    char *dot = name ? strstr(name, ".sql") : NULL;

    if (!dot || dot[4])
        die("%s does not end in .sql", path);
    *dot = '\0';
    return name;
}

/* A C string literal, one source line each. keep_comments: migrations are hashed as written. */
static void literal(FILE *out, const char *text, int keep_comments)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        int more = text[n] == '\n';
        if (keep_comments || strncmp(text, "--", 2) != 0) {
            fputs("\n    \"", out);
            for (size_t i = 0; i < n; i++) {
                if (text[i] == '"' || text[i] == '\\')
                    fputc('\\', out);
                fputc(text[i], out);
            }
            fputs(more ? "\\n\"" : "\"", out);
        }
        text += n + (size_t)more;
    }
}

static long count_params(const char *text)
{
    long max = 0;

    for (const char *p = text; (p = strchr(p, '$')); p++)
        if (isdigit((unsigned char)p[1]) && strtol(p + 1, NULL, 10) > max)
            max = strtol(p + 1, NULL, 10);
    return max;
}

static void users(FILE *out, const char *path, const char *text)
{
    static const char *const known[] = {"server", "stream", "upkeep", "export", "cli"};
    const char *line = strstr(text, "-- users:");
    int any = 0;

    if (strncmp(text, "-- ", 3) != 0 || !line)
        die("%s must open with a comment and a line `-- users: ...`", path);
    size_t n = strcspn(line, "\n");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const char *at = strstr(line, known[i]);
        if (!at || (size_t)(at - line) >= n)
            continue;
        fputs(any++ ? " | STATEMENT_" : "STATEMENT_", out);
        for (const char *p = known[i]; *p; p++)
            fputc(toupper((unsigned char)*p), out);
    }
    if (!any)
        die("%s: `-- users:` names nobody known", path);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: sqlgen queries|migrations OUT FILE...");
    int queries = strcmp(argv[1], "queries") == 0;
    FILE *out = fopen(argv[2], "w");
    if (!out)
        die("cannot write %s", argv[2]);
    fprintf(out, "/* Made by sqlgen from schema/%s; not edited. */\n", argv[1]);
    for (int i = 3; i < argc; i++) {
        char *text = slurp(argv[i]), *name = stem(argv[i]);
        if (queries) {
            fprintf(out, "STATEMENT(%s, ", name);
            users(out, argv[i], text);
            fprintf(out, ", %ld,", count_params(text));
        } else {
            if (!isdigit((unsigned char)name[0]) || !strchr(name, '_'))
                die("%s is not NNNN_name.sql", argv[i]);
            fprintf(out, "MIGRATION(%ld, %s,", strtol(name, NULL, 10), strchr(name, '_') + 1);
        }
        literal(out, text, !queries);
        fputs(")\n", out);
        free(text);
        free(name);
    }
    return fclose(out) ? 1 : 0;
}
