/* Owns printing the API's own description. Knows nothing that is not in the table. */
#include "annotate-server/http/openapi.h"

#include <ctype.h>

static void print_schema_ref(struct buf *out, const char *name)
{
    buf_printf(out, "{\"$ref\":\"#/components/schemas/%s\"}", name);
}

static void print_text(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    buf_json(out, str_of(value));
}

/* --- one operation --- */

static void print_param(
    struct buf *out, const char *in, struct str name, const char *type, const char *doc)
{
    buf_puts(out, "{\"name\":");
    buf_json(out, name);
    buf_printf(
        out, ",\"in\":\"%s\",\"required\":%s,", in, strcmp(in, "query") == 0 ? "false" : "true");
    if (doc) {
        print_text(out, "description", doc);
        buf_putc(out, ',');
    }
    buf_printf(out, "\"schema\":{\"type\":\"%s\"%s}},", type,
        strcmp(in, "path") == 0 && strcmp(type, "integer") == 0
            ? ",\"minimum\":1,\"maximum\":9007199254740991"
            : "");
}

static void print_path_params(struct buf *out, const char *path)
{
    const char *p = path;

    for (int i = 0; (p = strchr(p, '{')) != NULL; i++) {
        const char *end = strchr(++p, '}');
        print_param(out, "path", (struct str){p, (size_t)(end - p)},
            route_arg_is_id(path, i) ? "integer" : "string", NULL);
    }
}

static void print_params(struct buf *out, const struct route *r)
{
    buf_puts(out, ",\"parameters\":[");
    print_path_params(out, r->path);
    for (const struct param *p = r->params; p && p->name; p++)
        print_param(out, "query", str_of(p->name), p->type, p->doc);
    if (r->if_match)
        print_param(out, "header", STR("If-Match"), "string", "\"<version>\", the one you know");
    buf_chop(out, ',');
    buf_putc(out, ']');
}

static void print_request(struct buf *out, const struct route *r)
{
    if (r->body == BODY_NONE)
        return;
    const char *type =
        r->body == BODY_STREAM && !r->request ? "application/octet-stream" : "application/json";
    buf_printf(out, ",\"requestBody\":{\"required\":true,\"content\":{\"%s\":{", type);
    if (r->request) {
        buf_puts(out, "\"schema\":");
        print_schema_ref(out, r->request);
    }
    buf_puts(out, "}}}");
}

static void print_problem(struct buf *out, int status)
{
    buf_printf(out, ",\"%d\":{\"$ref\":\"#/components/responses/problem\"}", status);
}

static void print_responses(struct buf *out, const struct route *r)
{
    buf_printf(out, ",\"responses\":{\"%d\":{\"description\":\"", r->ok);
    buf_puts(out, r->ok == 204 ? "Done\"" : "The answer\"");
    if (r->reply) {
        buf_puts(out, ",\"content\":{\"application/json\":{\"schema\":");
        print_schema_ref(out, r->reply);
        buf_puts(out, "}}");
    }
    buf_putc(out, '}');
    if (r->body != BODY_NONE) {
        print_problem(out, err_status(ERR_BAD_JSON));
        print_problem(out, err_status(ERR_TOO_LARGE));
        print_problem(out, err_status(ERR_INVALID));
    }
    if (r->may != MAY_ANYONE)
        print_problem(out, err_status(ERR_UNAUTHENTICATED));
    if (r->may & ~(unsigned)MAY_USER)
        print_problem(out, err_status(ERR_FORBIDDEN));
    if (strchr(r->path, '{'))
        print_problem(out, err_status(ERR_NOT_FOUND));
    if (r->if_match) {
        print_problem(out, err_status(ERR_VERSION));
        print_problem(out, err_status(ERR_VERSION_REQUIRED));
    }
    buf_puts(out, ",\"default\":{\"$ref\":\"#/components/responses/problem\"}}");
}

static void print_may(struct buf *out, const struct route *r)
{
    static const char *const names[] = {
        "user", "admin", "viewer", "annotator", "reviewer", "qa", "model", "manager"};

    if (r->may == MAY_ANYONE) {
        buf_puts(out, ",\"security\":[]");
        return;
    }
    buf_puts(out, ",\"security\":[{\"bearer\":[]}],\"x-may\":[");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (r->may & 1u << i)
            buf_printf(out, "\"%s\",", names[i]);
    buf_chop(out, ',');
    buf_putc(out, ']');
}

static void print_operation(struct buf *out, const struct route *r)
{
    buf_putc(out, '"');
    for (const char *m = method_name(r->method); *m; m++)
        buf_putc(out, (char)tolower((unsigned char)*m));
    buf_puts(out, "\":{");
    print_text(out, "operationId", r->name);
    buf_putc(out, ',');
    print_text(out, "summary", r->summary ? r->summary : "");
    print_may(out, r);
    print_params(out, r);
    print_request(out, r);
    print_responses(out, r);
    buf_puts(out, "},");
}

/* --- the document --- */

static void print_path(struct buf *out, const struct route *table, size_t n, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(table[i].path, table[at].path) == 0)
            return; /* printed with the first row of that path */
    buf_json(out, str_of(table[at].path));
    buf_puts(out, ":{");
    for (size_t i = at; i < n; i++)
        if (strcmp(table[i].path, table[at].path) == 0)
            print_operation(out, &table[i]);
    buf_chop(out, ',');
    buf_puts(out, "},");
}

static void print_slugs(struct buf *out)
{
    for (int e = ERR_OK + 1; e < ERR_COUNT; e++)
        buf_printf(out, "\"/errors/%s\",", err_slug((enum err)e));
    buf_chop(out, ',');
}

static void print_components(struct buf *out)
{
    buf_puts(out, "\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\","
                  "\"scheme\":\"bearer\"}},\"responses\":{\"problem\":{"
                  "\"description\":\"What went wrong (RFC 9457)\",\"content\":{"
                  "\"application/problem+json\":{\"schema\":");
    print_schema_ref(out, "problem");
    buf_puts(out, "}}}},\"schemas\":{");
    for (size_t i = 0; i < schema_count; i++) {
        buf_json(out, str_of(schemas[i].name));
        buf_putc(out, ':');
        buf_str(out, schemas[i].text);
        buf_putc(out, ',');
    }
    buf_puts(out, "\"problem\":{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\","
                  "\"request_id\"],\"properties\":{\"type\":{\"enum\":[");
    print_slugs(out);
    buf_puts(out, "]},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
                  "\"detail\":{\"type\":\"string\"},\"pointer\":{\"type\":\"string\"},"
                  "\"request_id\":{\"type\":\"string\"}}}}}");
}

void openapi_print(const struct route *table, size_t n, struct buf *out)
{
    buf_puts(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Annotate\",\"version\":\"");
    buf_puts(out, ANNOTATE_VERSION "\"},\"paths\":{");
    for (size_t i = 0; i < n; i++)
        print_path(out, table, n, i);
    buf_chop(out, ',');
    buf_puts(out, "},");
    print_components(out);
    buf_puts(out, "}\n");
}
