/* Owns one libcurl easy handle and the rules of a request: limits, retries, the guard. Never logs
 * the token, a body or a header. */
#include "io/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

enum {
    TOKEN_MAX = 4096,
    CONNECT_MS = 5000,
    TOTAL_MS = 60000,
    STALL_S = 30,
    STALL_BYTES = 100,
    TRIES = 4,
    PAUSE_MS = 250,
    PAUSE_MAX_MS = 30000,
    GUARD_REDIRECTS = 3,
    DAY_S = 86400,
};

struct http_client {
    CURL *curl;
    struct http_client_options o;
    char *base;
    char *authorization; /* the whole header line, or NULL */
    void (*progress)(void *arg, int64_t done, int64_t total);
    void *progress_arg;
    bool guarded_off; /* the guard refused an address during this call */
};

/* One attempt's state, for the callbacks. */
struct transfer {
    struct http_client *client;
    struct http_answer *out;
    const struct http_source *from;
    const struct http_sink *to;
    size_t max_body;
    int64_t got;       /* bytes of body received */
    enum err err;      /* why a callback stopped the transfer */
    bool to_sink;      /* the status is 2xx and there is a sink */
    bool status_known; /* to_sink is decided */
};

/* The token */

static enum err read_token(const char *path, char **authorization)
{
    char text[TOKEN_MAX + 1];
    enum err e = ERR_INVALID;
    FILE *f = fopen(path, "re");

    if (!f)
        return ERR_NOT_FOUND;
    size_t n = fread(text, 1, sizeof(text), f);
    struct str token = str_trim((struct str){text, n});
    bool clean = token.n > 0 && n <= TOKEN_MAX;
    for (size_t i = 0; clean && i < token.n; i++)
        clean = token.p[i] > ' ' && token.p[i] < 0x7f;
    if (clean)
        e = asprintf(authorization, "Authorization: Bearer %.*s", STR_FMT(token)) < 0
                ? ERR_NO_MEMORY
                : ERR_OK;
    explicit_bzero(text, sizeof(text));
    fclose(f);
    return e;
}

static void forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

/* The client */

static bool usable_base(const char *base)
{
    return base && (strncmp(base, "http://", 7) == 0 || strncmp(base, "https://", 8) == 0);
}

struct http_client *http_client_new(const char *base, const char *token_file)
{
    return http_client_open(&(struct http_client_options){.base = base, .token_file = token_file});
}

static void defaults(struct http_client_options *o)
{
    if (!o->connect_ms)
        o->connect_ms = CONNECT_MS;
    if (!o->total_ms)
        o->total_ms = TOTAL_MS;
    if (!o->stall_s)
        o->stall_s = STALL_S;
    if (!o->tries)
        o->tries = TRIES;
    o->token_file = NULL; /* read once; and borrowed */
    o->base = NULL;
}

struct http_client *http_client_open(const struct http_client_options *o)
{
    bool with_token = o->token_file && *o->token_file;

    /* What users type never travels with our token. */
    BUG_ON(o->guard && (o->base || with_token));
    if (!o->guard && !usable_base(o->base)) {
        log_error("http_client", "the server's address must begin with http:// or https://");
        return NULL;
    }
    struct http_client *c = calloc(1, sizeof(*c));
    if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        goto failed;
    c->o = *o;
    defaults(&c->o);
    if (with_token) {
        enum err e = read_token(o->token_file, &c->authorization);
        if (e) {
            log_error("http_client", "token file %s: %s", o->token_file, err_slug(e));
            goto failed;
        }
    }
    if (!o->guard) {
        size_t n = strlen(o->base);
        while (n && o->base[n - 1] == '/')
            n--;
        c->base = strndup(o->base, n);
    }
    c->curl = curl_easy_init();
    if (c->curl && (o->guard || c->base))
        return c;
failed:
    http_client_free(c);
    return NULL;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    forget(c->authorization);
    free(c->base);
    free(c);
}

void http_client_progress(
    struct http_client *c, void (*fn)(void *arg, int64_t done, int64_t total), void *arg)
{
    c->progress = fn;
    c->progress_arg = arg;
}

/* libcurl's callbacks */

static bool cancelled(const struct http_client *c)
{
    return c->o.cancel && atomic_load(c->o.cancel);
}

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct str rest = {line, one * n}, name;
    int64_t seconds; /* the date form of Retry-After is passed over: our own pause will do */

    if (str_starts(rest, STR("HTTP/"))) { /* a new answer: after 100 Continue or a redirect */
        t->out->etag[0] = t->out->content_type[0] = '\0';
        t->out->retry_after_s = -1;
        return rest.n;
    }
    str_split(&rest, ':', &name);
    struct str value = str_trim(rest);
    if (str_ieq(name, STR("ETag")))
        snprintf(t->out->etag, sizeof(t->out->etag), "%.*s", STR_FMT(value));
    else if (str_ieq(name, STR("Content-Type")))
        snprintf(t->out->content_type, sizeof(t->out->content_type), "%.*s", STR_FMT(value));
    else if (str_ieq(name, STR("Retry-After")) && str_int(value, &seconds))
        t->out->retry_after_s = seconds < 0 || seconds > DAY_S ? DAY_S : seconds;
    return one * n;
}

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;

    n *= one;
    if (!t->status_known) {
        long status = 0;
        curl_easy_getinfo(t->client->curl, CURLINFO_RESPONSE_CODE, &status);
        t->to_sink = t->to && status >= 200 && status < 300;
        t->status_known = true;
    }
    t->got += (int64_t)n;
    if (t->to_sink) {
        /* A counted limit: Content-Length is absent from chunked answers. */
        bool over = t->client->o.max_body && t->got > (int64_t)t->client->o.max_body;
        t->err = over ? ERR_FULL : t->to->write(t->to->arg, p, n);
    } else {
        t->out->body.max = t->max_body;
        buf_add(&t->out->body, p, n);
        t->err = buf_err(&t->out->body);
    }
    return t->err ? 0 : n; /* n > 0 always: curl makes no empty calls */
}

static size_t on_send(char *p, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    ptrdiff_t got = t->from->read(t->from->arg, p, one * n);

    if (got >= 0)
        return (size_t)got;
    t->err = ERR_IO;
    return CURL_READFUNC_ABORT;
}

static int on_progress(
    void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct transfer *t = arg;
    struct http_client *c = t->client;

    if (c->progress && t->from)
        c->progress(c->progress_arg, up, t->from->size < 0 ? -1 : up_all);
    else if (c->progress && t->to)
        c->progress(c->progress_arg, down, down_all ? down_all : -1);
    return cancelled(c);
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct http_client *c = arg;

    if (purpose != CURLSOCKTYPE_IPCXN || !http_guard_allows(&a->addr)) {
        c->guarded_off = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* One request */

static void answer_clear(struct http_answer *a)
{
    a->status = 0;
    buf_clear(&a->body);
    a->etag[0] = a->content_type[0] = a->why[0] = '\0';
    a->retry_after_s = -1;
}

struct request {
    const char *method, *path, *content_type;
    const char *const *headers;
    struct str body;
    const struct http_source *from;
    const struct http_sink *to;
};

static void set_guard(struct http_client *c)
{
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, c->o.guard ? "https" : "http,https");
    curl_easy_setopt(c->curl, CURLOPT_PROXY, ""); /* http_proxy would lead around the guard */
    if (!c->o.guard)
        return;
    curl_easy_setopt(c->curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(c->curl, CURLOPT_OPENSOCKETDATA, c);
    curl_easy_setopt(c->curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c->curl, CURLOPT_MAXREDIRS, (long)GUARD_REDIRECTS);
    curl_easy_setopt(c->curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
}

static void set_limits(struct http_client *c, const struct request *r)
{
    bool stream = r->from || r->to;

    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->o.connect_ms);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, stream ? 0L : (long)c->o.total_ms);
    curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
    curl_easy_setopt(c->curl, CURLOPT_LOW_SPEED_TIME, stream ? (long)c->o.stall_s : 0L);
    curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "annotate/" ANNOTATE_VERSION);
}

static void set_callbacks(struct transfer *t)
{
    CURL *curl = t->client->curl;

    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
}

static void set_method(struct transfer *t, const struct request *r)
{
    CURL *curl = t->client->curl;

    if (r->from) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(curl, CURLOPT_READDATA, t);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->from->size);
    } else if (r->body.p) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body.p);
    } else if (strcmp(r->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
}

/* True unless the line could end the header early or smuggle in another. */
static bool header_clean(const char *line)
{
    return strchr(line, ':') && !strpbrk(line, "\r\n");
}

static enum err add_header(struct curl_slist **list, const char *line)
{
    if (!header_clean(line))
        return ERR_INVALID;
    struct curl_slist *more = curl_slist_append(*list, line);
    if (!more)
        return ERR_NO_MEMORY;
    *list = more;
    return ERR_OK;
}

static enum err set_headers(
    const struct http_client *c, const struct request *r, struct curl_slist **list)
{
    const char *type = r->from ? "application/octet-stream" : "application/json";
    enum err e = add_header(list, "Expect:"); /* a round trip for nothing */
    char line[192];

    if (!e && c->authorization)
        e = add_header(list, c->authorization);
    if (r->content_type)
        type = r->content_type;
    if (!e && (r->body.p || r->from)) {
        if (snprintf(line, sizeof(line), "Content-Type: %s", type) >= (int)sizeof(line))
            return ERR_INVALID;
        e = add_header(list, line);
    }
    for (const char *const *h = r->headers; !e && h && *h; h++)
        e = add_header(list, *h);
    if (!e)
        curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, *list);
    return e;
}

static enum err set_url(struct http_client *c, const struct request *r)
{
    char *url = NULL;

    if (c->o.guard)
        return curl_easy_setopt(c->curl, CURLOPT_URL, r->path) ? ERR_NO_MEMORY : ERR_OK;
    /* Without the slash, "http://host" + "@evil/" would be another host. */
    if (r->path[0] != '/')
        return ERR_INVALID;
    if (asprintf(&url, "%s%s", c->base, r->path) < 0)
        return ERR_NO_MEMORY;
    CURLcode code = curl_easy_setopt(c->curl, CURLOPT_URL, url);
    free(url);
    return code ? ERR_NO_MEMORY : ERR_OK;
}

static enum err transport_err(const struct transfer *t, CURLcode code)
{
    if (t->err)
        return t->err;
    if (t->client->guarded_off)
        return ERR_FORBIDDEN;
    switch (code) {
    case CURLE_OK:
        return ERR_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return ERR_NO_MEMORY;
    case CURLE_FILESIZE_EXCEEDED:
        return ERR_FULL;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_TOO_MANY_REDIRECTS:
        return ERR_INVALID;
    default:
        return ERR_UNAVAILABLE;
    }
}

/* Runs the request once. *code tells the caller how far it got. */
static enum err attempt(struct http_client *c, const struct request *r, struct http_answer *out,
    CURLcode *code, bool *started)
{
    struct transfer t = {.client = c, .out = out, .from = r->from, .to = r->to};
    struct curl_slist *list = NULL;

    t.max_body = c->o.max_body && !r->to ? c->o.max_body : BUF_MAX_REPLY;
    answer_clear(out);
    c->guarded_off = false;
    curl_easy_reset(c->curl); /* options only: connections and sessions live on */
    set_guard(c);
    set_limits(c, r);
    set_callbacks(&t);
    set_method(&t, r);
    enum err e = set_url(c, r);
    if (!e)
        e = set_headers(c, r, &list);
    if (!e) {
        long status = 0;
        *code = curl_easy_perform(c->curl);
        curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
        e = transport_err(&t, *code);
        out->status = e ? 0 : (int)status;
        if (e)
            snprintf(out->why, sizeof(out->why), "%s",
                c->guarded_off ? "the address is not a public one" : curl_easy_strerror(*code));
    }
    *started = t.to_sink;
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    return e;
}

/* Retries */

static bool repeatable(const struct request *r)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE"};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(r->method, methods[i]) == 0)
            return true;
    for (const char *const *h = r->headers; h && *h; h++)
        if (strncasecmp(*h, "Idempotency-Key:", 16) == 0)
            return true;
    return false;
}

static bool worth_retrying(const struct request *r, enum err e, CURLcode code, int status)
{
    bool unsent = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;

    if (e == ERR_OK)
        return !r->from && (status == 429 || status == 503);
    if (e == ERR_UNAVAILABLE)
        return unsent || (!r->from && repeatable(r));
    return e == ERR_TIMEOUT && !r->from && repeatable(r);
}

/* Grows by doubling; a random half of it, so that many clients do not come back at once. */
static int64_t pause_ms(int tried, int64_t retry_after_s)
{
    uint32_t dice;
    int64_t ms = (int64_t)PAUSE_MS << (tried < 8 ? tried : 8);

    random_bytes(&dice, sizeof(dice));
    ms = ms / 2 + (int64_t)(dice % (uint64_t)(ms / 2 + 1));
    if (retry_after_s > 0 && retry_after_s * 1000 > ms)
        ms = retry_after_s * 1000 + dice % 100;
    return ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms;
}

static void wait_ms(const struct http_client *c, int64_t ms)
{
    int64_t until = clock_mono_us() + ms * 1000;

    while (!cancelled(c) && clock_mono_us() < until) {
        struct timespec slice = {0, 20 * 1000 * 1000};
        nanosleep(&slice, NULL);
    }
}

static enum err run(struct http_client *c, const struct request *r, struct http_answer *out)
{
    enum err e;

    for (int tried = 0;; tried++) {
        CURLcode code = CURLE_OK;
        bool started = false;
        e = cancelled(c) ? ERR_UNAVAILABLE : attempt(c, r, out, &code, &started);
        if (cancelled(c) || started || tried + 1 >= c->o.tries ||
            !worth_retrying(r, e, code, out->status))
            return e;
        wait_ms(c, pause_ms(tried, out->retry_after_s));
    }
}

enum err http_client_call(struct http_client *c, const char *method, const char *path,
    const char *const *headers, struct str body, const char *content_type, struct http_answer *out)
{
    struct request r = {.method = method,
        .path = path,
        .headers = headers,
        .body = body,
        .content_type = content_type};

    return run(c, &r, out);
}

enum err http_client_upload(struct http_client *c, const char *method, const char *path,
    const char *const *headers, const char *content_type, const struct http_source *from,
    struct http_answer *out)
{
    struct request r = {.method = method,
        .path = path,
        .headers = headers,
        .content_type = content_type,
        .from = from};

    return run(c, &r, out);
}

enum err http_client_download(struct http_client *c, const char *path, const char *const *headers,
    const struct http_sink *to, struct http_answer *out)
{
    struct request r = {.method = "GET", .path = path, .headers = headers, .to = to};

    return run(c, &r, out);
}

static ptrdiff_t read_fd(void *arg, void *p, size_t n)
{
    return read(*(int *)arg, p, n);
}

struct http_source http_source_fd(int *fd, int64_t size)
{
    return (struct http_source){read_fd, fd, size};
}
