/* The head of a request and what follows it as its body: the finder and the parser agree about
 * where it ends, and a body is never longer than it said. */
#include "annotate-server/http/parser.h"
#include "fuzz.h"

static bool count(void *arg, struct str data)
{
    size_t *content = arg;

    *content += data.n;
    return true;
}

static void read_body(struct parser *p, const struct head *h, struct str rest, size_t *content)
{
    size_t used = 0;
    enum err e = parser_body(p, rest, &used);

    CLAIM(used <= rest.n && *content <= rest.n);
    if (!e && h->length >= 0)
        CLAIM(*content <= (size_t)h->length && p->complete == (*content == (size_t)h->length));
}

void fuzz(struct str input)
{
    size_t at = 0, n = 0, content = 0;
    struct parser p;
    struct head h = {0};

    if (head_find(input.p, input.n, &at, &n) || n == 0)
        return;
    CLAIM(n <= input.n && n <= HEAD_MAX);
    struct arena *a = arena_new();
    parser_init(&p, count, &content);
    if (!parser_head(&p, a, (struct str){input.p, n}, &h)) {
        CLAIM(h.n <= HEAD_MAX_HEADERS && h.length >= -1 && p.complete == (h.length == 0));
        if (!p.complete)
            read_body(&p, &h, (struct str){input.p + n, input.n - n}, &content);
    }
    arena_free(a);
}
