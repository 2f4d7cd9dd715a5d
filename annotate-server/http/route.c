/* Owns matching a method and path against the table. Never checks who may call. */
#include "annotate-server/http/route.h"

/* Compares segment by segment; a '{' takes any segment that is not empty. Whether an {id} is a
 * number is the caller's to see. */
static bool matches(const char *pattern, struct str path, struct str args[REQ_MAX_ARGS])
{
    const char *p = path.p, *end = path.p + path.n;
    int n = 0;

    while (*pattern && p < end) {
        if (*pattern != '{') {
            if (*pattern++ != *p++)
                return false;
            continue;
        }
        const char *from = p;
        while (p < end && *p != '/')
            p++;
        if (p == from || n == REQ_MAX_ARGS)
            return false;
        args[n++] = (struct str){from, (size_t)(p - from)};
        pattern = strchr(pattern, '}') + 1;
    }
    return *pattern == '\0' && p == end;
}

const struct route *route_find_in(const struct route *table, size_t n, enum http_method m,
    struct str path, struct str args[REQ_MAX_ARGS], enum err *e, unsigned *allow)
{
    const struct route *get = NULL;
    struct str found[REQ_MAX_ARGS];

    *allow = 0;
    for (size_t i = 0; i < n; i++) {
        const struct route *r = &table[i];
        memset(found, 0, sizeof(found));
        if (!matches(r->path, path, found))
            continue;
        *allow |= 1u << r->method;
        if (r->method != m && !(m == HTTP_M_HEAD && r->method == HTTP_M_GET))
            continue;
        memcpy(args, found, sizeof(found));
        if (r->method == m)
            return r;
        get = r; /* HEAD, unless a row of its own follows */
    }
    if (*allow & 1u << HTTP_M_GET)
        *allow |= 1u << HTTP_M_HEAD;
    *e = *allow ? ERR_METHOD : ERR_NOT_FOUND;
    return get;
}

const char *method_name(enum http_method m)
{
    static const char *const names[HTTP_M_COUNT] = {
        [HTTP_M_GET] = "GET",
        [HTTP_M_HEAD] = "HEAD",
        [HTTP_M_POST] = "POST",
        [HTTP_M_PUT] = "PUT",
        [HTTP_M_PATCH] = "PATCH",
        [HTTP_M_DELETE] = "DELETE",
    };

    return names[m];
}

static bool is_path_arg(const char *path, const char *name)
{
    size_t n = strlen(name);

    for (; (path = strchr(path, '{')) != NULL; path++)
        if (strncmp(path + 1, name, n) == 0 && path[1 + n] == '}')
            return true;
    return false;
}

const struct param *route_param(const struct route *r, struct str name)
{
    for (const struct param *p = r->params; p && p->name; p++)
        if (str_is(name, p->name) && !is_path_arg(r->path, p->name))
            return p;
    return NULL;
}

bool route_arg_is_id(const char *path, int arg)
{
    for (; arg >= 0; arg--) {
        path = strchr(path, '{');
        if (!path)
            return false;
        path++;
    }
    const char *end = strchr(path, '}');
    size_t n = (size_t)(end - path);
    return (n == 2 && memcmp(path, "id", 2) == 0) || (n > 3 && memcmp(end - 3, "_id", 3) == 0);
}
