/* The OpenAPI 3.1 document, made from the route table and the JSON Schemas in api/schemas. */
#ifndef HTTP_OPENAPI_H
#define HTTP_OPENAPI_H

#include "annotate-server/http/route.h"

/* A file of api/schemas, compiled in (schemas.cmake). A route names it without its ending; schemas
 * refer to each other as "#/components/schemas/NAME". */
struct schema {
    const char *name;
    struct str text;
};
extern const struct schema schemas[];
extern const size_t schema_count;

/* One route as a member of its path: "get":{…} (openapi_operation.c). */
void openapi_operation(struct buf *out, const struct route *r);

void openapi_print(const struct route *table, size_t n, struct buf *out);

#endif
