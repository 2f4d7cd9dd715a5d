/* Owns the llhttp callbacks. Never looks at what a header means: head.c does. */
#include "annotate-server/http/parser.h"

/* Chunk sizes, extensions and trailers may take this much beside the content. */
enum { FRAMING_FREE = 16 << 10, FRAMING_PER_BYTE = 8 };

static int on_url(llhttp_t *l, const char *at, size_t n)
{
    struct parser *p = l->data;

    p->head->target = (struct str){at, n};
    return 0;
}

static int on_field(llhttp_t *l, const char *at, size_t n)
{
    struct parser *p = l->data;

    if (p->headers_done)
        return 0; /* trailers are read over */
    if (p->head->n == p->head->cap)
        return -1;
    p->head->header[p->head->n].name = (struct str){at, n};
    return 0;
}

static int on_value(llhttp_t *l, const char *at, size_t n)
{
    struct parser *p = l->data;

    if (!p->headers_done)
        p->head->header[p->head->n].value = (struct str){at, n};
    return 0;
}

static int on_value_complete(llhttp_t *l)
{
    struct parser *p = l->data;

    if (!p->headers_done)
        p->head->n++;
    return 0;
}

static int on_headers_complete(llhttp_t *l)
{
    struct parser *p = l->data;

    p->headers_done = true;
    l->upgrade = 0; /* Upgrade is a wish; we do not grant it */
    return 0;
}

/* What lies between the pieces of content is framing. Two readers that disagree about a lone
 * carriage return disagree about where a request ends. */
static void look_at_framing(struct parser *p, const char *end)
{
    for (const char *c = p->framed; c < end; c++) {
        p->lone_cr = p->lone_cr || (p->cr && *c != '\n');
        p->cr = *c == '\r';
    }
    p->framed = end;
}

static int on_body(llhttp_t *l, const char *at, size_t n)
{
    struct parser *p = l->data;

    if (n == 0) /* resumed with no bytes */
        return 0;
    look_at_framing(p, at);
    if (p->lone_cr)
        return -1;
    p->framed = at + n;
    p->content += n;
    return p->on_body(p->arg, (struct str){at, n}) ? 0 : HPE_PAUSED;
}

static int on_message_complete(llhttp_t *l)
{
    struct parser *p = l->data;

    p->complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void parser_init(struct parser *p, bool (*body)(void *, struct str), void *arg)
{
    memset(p, 0, sizeof(*p));
    p->on_body = body;
    p->arg = arg;
}

static bool known_method(int llhttp, enum http_method *out)
{
    static const struct {
        int llhttp;
        enum http_method ours;
    } methods[] = {
        {HTTP_GET, HTTP_M_GET},
        {HTTP_POST, HTTP_M_POST},
        {HTTP_PUT, HTTP_M_PUT},
        {HTTP_PATCH, HTTP_M_PATCH},
        {HTTP_DELETE, HTTP_M_DELETE},
        {HTTP_HEAD, HTTP_M_HEAD},
    };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (methods[i].llhttp == llhttp) {
            *out = methods[i].ours;
            return true;
        }
    return false;
}

/* "FOO /x HTTP/1.1": a method nobody knows, in a line that is one. */
static bool is_request_line(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] >= 'A' && p[i] <= 'Z')
        i++;
    return i > 0 && i + 1 < n && p[i] == ' ' && p[i + 1] == '/';
}

static size_t count_lines(const char *p, size_t n)
{
    size_t lines = 0;

    for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    return lines;
}

static enum err parse_error(enum llhttp_errno e, const char *copy, size_t n)
{
    if (e == HPE_INVALID_METHOD && is_request_line(copy, n))
        return ERR_NOT_IMPLEMENTED;
    return e == HPE_INVALID_VERSION ? ERR_HTTP_VERSION : ERR_BAD_REQUEST;
}

enum err parser_head(struct parser *p, struct arena *a, struct str text, struct head *h)
{
    char *copy = arena_copy(a, text.p, text.n);
    size_t lines = count_lines(copy, text.n);

    if (lines > HEAD_MAX_HEADERS + 2)
        return ERR_HEADERS;
    *h = (struct head){.header = arena_array(a, lines, sizeof(struct header)), .cap = lines};
    p->head = h;
    p->headers_done = p->complete = false;
    p->framing = p->content = 0;
    p->framed = copy + text.n; /* the head is head_find()'s */
    p->cr = p->lone_cr = false;
    llhttp_init(&p->llhttp, HTTP_REQUEST, &settings);
    p->llhttp.data = p;
    enum llhttp_errno e = llhttp_execute(&p->llhttp, copy, text.n);
    if (e != HPE_OK && !(e == HPE_PAUSED && p->complete))
        return parse_error(e, copy, text.n);
    if (!p->headers_done || p->content)
        return ERR_BAD_REQUEST;
    if (p->complete && llhttp_get_error_pos(&p->llhttp) != copy + text.n)
        return ERR_BAD_REQUEST;
    h->major = p->llhttp.http_major;
    h->minor = p->llhttp.http_minor;
    h->keep_alive = llhttp_should_keep_alive(&p->llhttp);
    enum err bad = head_check(h, a);
    if (bad)
        return bad;
    return known_method(p->llhttp.method, &h->method) ? ERR_OK : ERR_NOT_IMPLEMENTED;
}

enum err parser_body(struct parser *p, struct str data, size_t *used)
{
    size_t content = p->content;

    p->framed = data.p;
    llhttp_resume(&p->llhttp);
    enum llhttp_errno e = llhttp_execute(&p->llhttp, data.p, data.n);
    *used = data.n;
    if (e == HPE_PAUSED)
        *used = (size_t)(llhttp_get_error_pos(&p->llhttp) - data.p);
    else if (e != HPE_OK)
        return ERR_BAD_REQUEST;
    look_at_framing(p, data.p + *used);
    if (p->lone_cr)
        return ERR_BAD_REQUEST;
    p->framing += *used - (p->content - content);
    if (p->framing > FRAMING_FREE + FRAMING_PER_BYTE * p->content)
        return ERR_BAD_REQUEST;
    return ERR_OK;
}

bool parser_paused(const struct parser *p)
{
    return llhttp_get_errno(&p->llhttp) == HPE_PAUSED;
}
