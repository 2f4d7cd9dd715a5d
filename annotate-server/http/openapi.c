/* Owns printing the API's own description. Knows nothing that is not in the table. */
#include "annotate-server/http/openapi.h"

/* --- the document --- */

static void print_path(struct buf *out, const struct route *table, size_t n, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(table[i].path, table[at].path) == 0)
            return; /* printed with the first row of that path */
    buf_json(out, str_of(table[at].path));
    buf_puts(out, ":{");
    for (size_t i = at; i < n; i++)
        if (strcmp(table[i].path, table[at].path) == 0) {
            openapi_operation(out, &table[i]);
            buf_putc(out, ',');
        }
    buf_chop(out, ',');
    buf_puts(out, "},");
}

static void print_slugs(struct buf *out)
{
    for (int e = ERR_OK + 1; e < ERR_COUNT; e++)
        buf_printf(out, "\"/errors/%s\",", err_slug((enum err)e));
    buf_chop(out, ',');
}

/* What several operations share, as it stands in the document. */
static const char components[] =
    "\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
    "\"link\":{\"type\":\"apiKey\",\"in\":\"query\",\"name\":\"sig\"}},"
    "\"parameters\":{"
    "\"If-Match\":{\"name\":\"If-Match\",\"in\":\"header\",\"required\":true,"
    "\"description\":\"the version that you know, in quotes\","
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^\\\"[0-9]{1,16}\\\"$\"}},"
    "\"If-None-Match\":{\"name\":\"If-None-Match\",\"in\":\"header\",\"required\":false,"
    "\"description\":\"the ETags that you have\",\"schema\":{\"type\":\"string\"}},"
    "\"Range\":{\"name\":\"Range\",\"in\":\"header\",\"required\":false,"
    "\"description\":\"one range of bytes; anything else is passed over\","
    "\"schema\":{\"type\":\"string\"}},"
    "\"Idempotency-Key\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":false,"
    "\"description\":\"a name of your own for this request: sent again, it gets its first answer\","
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^[!-~]{1,200}$\"}}},"
    "\"headers\":{"
    "\"X-Request-Id\":{\"required\":true,\"description\":\"stands in the server's log, too\","
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^[0-9A-Za-z-]{1,32}$\"}},"
    "\"ETag\":{\"required\":true,\"description\":\"a version, for If-Match, or a hash\","
    "\"schema\":{\"type\":\"string\",\"pattern\":\"^\\\"[0-9a-f]+\\\"$\"}},"
    "\"Idempotency-Replayed\":{\"description\":\"this answer was given before\","
    "\"schema\":{\"const\":\"true\"}},"
    "\"Retry-After\":{\"required\":true,\"description\":\"seconds\","
    "\"schema\":{\"type\":\"integer\",\"minimum\":0}},"
    "\"WWW-Authenticate\":{\"required\":true,\"schema\":{\"const\":\"Bearer\"}}},";

/* The three kinds of problem that answers refer to. */
static void print_problem_response(
    struct buf *out, const char *name, const char *text, const char *header)
{
    buf_printf(out,
        "\"%s\":{\"description\":\"%s (RFC 9457)\",\"headers\":{"
        "\"X-Request-Id\":{\"$ref\":\"#/components/headers/X-Request-Id\"}",
        name, text);
    if (header)
        buf_printf(out, ",\"%s\":{\"$ref\":\"#/components/headers/%s\"}", header, header);
    buf_puts(out, "},\"content\":{\"application/problem+json\":{\"schema\":"
                  "{\"$ref\":\"#/components/schemas/problem\"}}}},");
}

static void print_components(struct buf *out)
{
    buf_puts(out, "\"components\":{");
    buf_puts(out, components);
    buf_puts(out, "\"responses\":{");
    print_problem_response(out, "problem", "What went wrong", NULL);
    print_problem_response(out, "unauthenticated", "Who are you?", "WWW-Authenticate");
    print_problem_response(out, "later", "Not now", "Retry-After");
    buf_chop(out, ',');
    buf_puts(out, "},\"schemas\":{");
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
