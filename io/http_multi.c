/* Owns the thread and its libcurl multi handle. curl_multi_poll waits: the transfers are as many
 * as the threads that wait for them, too few for a socket-by-socket event loop to pay. */
#include "io/http_multi.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "io/http_client.h"

enum { STALL_BYTES = 100, POLL_MS = 1000, IDLE_CONNECTIONS = 64 };

/* A call under way. Lives on the stack of who waits for it. */
struct transfer {
    struct http_exchange *x;
    struct transfer *next; /* in the queue of those not begun */
    CURL *curl;
    struct curl_slist *headers;
    size_t part, at;    /* where sending is */
    size_t into_before; /* of x->into */
    bool status_known, good;
    bool guarded_off; /* the guard refused an address */
    bool done;
    enum err err; /* why a callback stopped it; in the end, the result */
    CURLcode code;
};

struct http_multi {
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock; /* queue, stopping, and `done` of every transfer */
    pthread_cond_t finished;
    struct transfer *queue;
    bool stopping;
    bool guard;
};

/* ---- libcurl's callbacks */

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct str rest = {line, one * n}, name;
    bool begins = str_starts(rest, STR("HTTP/"));

    str_split(&rest, ':', &name);
    struct str value = rest.p && !begins ? str_trim(rest) : STR("");
    for (size_t i = 0; i < t->x->nfields; i++) {
        struct http_field *f = &t->x->fields[i];
        if (begins) /* a new answer, after 100 Continue */
            f->value[0] = '\0';
        else if (str_ieq(name, str_of(f->name)))
            snprintf(f->value, sizeof(f->value), "%.*s", STR_FMT(value));
    }
    return one * n;
}

/* Knows from the header whether what comes fits, before a byte of it is taken. */
static void look_at_status(struct transfer *t)
{
    curl_off_t length = -1;
    long status = 0;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    t->good = status >= 200 && status < 300;
    t->status_known = true;
    if (t->good && t->x->into && length > 0 && (uint64_t)length > t->x->into->max - t->x->into->n)
        t->err = ERR_FULL;
}

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct buf *refusal = t->x->refusal;

    n *= one;
    if (!t->status_known)
        look_at_status(t);
    if (t->err)
        return CURL_WRITEFUNC_ERROR;
    if (t->good && t->x->into) {
        if (n > t->x->into->max - t->x->into->n)
            t->err = ERR_FULL;
        else
            buf_add(t->x->into, p, n);
    } else if (!t->good && refusal) {
        size_t room = refusal->max - refusal->n;
        buf_add(refusal, p, n < room ? n : room);
    }
    return t->err ? CURL_WRITEFUNC_ERROR : n;
}

static size_t on_send(char *p, size_t one, size_t room, void *arg)
{
    struct transfer *t = arg;
    size_t sent = 0;

    room *= one;
    while (sent < room && t->part < t->x->nparts) {
        struct str part = t->x->parts[t->part];
        size_t n = part.n - t->at < room - sent ? part.n - t->at : room - sent;
        if (n)
            memcpy(p + sent, part.p + t->at, n);
        sent += n;
        t->at += n;
        if (t->at == part.n) {
            t->part++;
            t->at = 0;
        }
    }
    return sent;
}

/* A connection that had died while it idled is opened again, and the body sent from its start. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;

    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    t->part = t->at = 0;
    return CURL_SEEKFUNC_OK;
}

/* ---- one request */

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = arg;

    if (purpose != CURLSOCKTYPE_IPCXN || !http_guard_allows(&a->addr)) {
        t->guarded_off = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void set_guard(struct transfer *t)
{
    curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(t->curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(t->curl, CURLOPT_OPENSOCKETDATA, t);
}

static void set_limits(struct transfer *t)
{
    const struct http_exchange *x = t->x;

    curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(t->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(t->curl, CURLOPT_PATH_AS_IS, 1L); /* what was signed is what is sent */
    curl_easy_setopt(t->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)x->connect_ms);
    curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, (long)x->total_ms);
    curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
    curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_TIME, (long)x->stall_s);
    curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "annotate/" ANNOTATE_VERSION);
}

static void set_body(struct transfer *t)
{
    const struct http_exchange *x = t->x;
    curl_off_t size = 0;

    for (size_t i = 0; i < x->nparts; i++)
        size += (curl_off_t)x->parts[i].n;
    if (strcmp(x->method, "PUT") == 0 || strcmp(x->method, "POST") == 0) {
        curl_easy_setopt(t->curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(t->curl, CURLOPT_INFILESIZE_LARGE, size);
        curl_easy_setopt(t->curl, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(t->curl, CURLOPT_READDATA, t);
        curl_easy_setopt(t->curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(t->curl, CURLOPT_SEEKDATA, t);
    } else if (strcmp(x->method, "HEAD") == 0) {
        curl_easy_setopt(t->curl, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, x->method);
}

static enum err add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *more;

    if (!strchr(line, ':') || strpbrk(line, "\r\n"))
        return ERR_INVALID;
    more = curl_slist_append(*list, line);
    if (!more)
        return ERR_NO_MEMORY;
    *list = more;
    return ERR_OK;
}

static enum err prepare(const struct http_multi *m, struct transfer *t)
{
    enum err e;

    t->curl = curl_easy_init();
    if (!t->curl)
        return ERR_NO_MEMORY;
    e = add_header(&t->headers, "Expect:"); /* a round trip for nothing */
    for (const char *const *h = t->x->headers; !e && h && *h; h++)
        e = add_header(&t->headers, *h);
    if (e)
        return e;
    set_limits(t);
    if (m->guard)
        set_guard(t);
    set_body(t);
    curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(t->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(t->curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->curl, CURLOPT_PRIVATE, t);
    return curl_easy_setopt(t->curl, CURLOPT_URL, t->x->url) ? ERR_NO_MEMORY : ERR_OK;
}

static enum err result_of(const struct transfer *t)
{
    if (t->err)
        return t->err;
    switch (t->code) {
    case CURLE_OK:
        return ERR_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return ERR_NO_MEMORY;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ERR_INVALID;
    case CURLE_COULDNT_CONNECT:
        return t->guarded_off ? ERR_FORBIDDEN : ERR_UNAVAILABLE;
    default:
        return ERR_UNAVAILABLE;
    }
}

/* ---- the thread */

static void finish(struct http_multi *m, struct transfer *t)
{
    pthread_mutex_lock(&m->lock);
    t->done = true; /* from here on it may be gone */
    pthread_cond_broadcast(&m->finished);
    pthread_mutex_unlock(&m->lock);
}

static void begin_queued(struct http_multi *m)
{
    struct transfer *t, *next;

    pthread_mutex_lock(&m->lock);
    t = m->queue;
    m->queue = NULL;
    pthread_mutex_unlock(&m->lock);
    for (; t; t = next) {
        next = t->next;
        if (curl_multi_add_handle(m->multi, t->curl) != CURLM_OK) {
            t->code = CURLE_OUT_OF_MEMORY;
            finish(m, t);
        }
    }
}

static void finish_ended(struct http_multi *m)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(m->multi, &left))) {
        struct transfer *t = NULL;
        CURL *curl = msg->easy_handle;
        CURLcode code = msg->data.result; /* msg dies with its handle's removal */
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&t);
        curl_multi_remove_handle(m->multi, curl);
        t->code = code;
        finish(m, t);
    }
}

static bool stopping(struct http_multi *m)
{
    pthread_mutex_lock(&m->lock);
    bool stop = m->stopping;
    pthread_mutex_unlock(&m->lock);
    return stop;
}

static void *run(void *arg)
{
    struct http_multi *m = arg;
    int running;

    while (!stopping(m)) {
        begin_queued(m);
        curl_multi_perform(m->multi, &running);
        finish_ended(m);
        curl_multi_poll(m->multi, NULL, 0, POLL_MS, NULL);
    }
    return NULL;
}

struct http_multi *http_multi_new(void)
{
    struct http_multi *m = calloc(1, sizeof(*m));
    sigset_t all, before;
    int failed;

    if (!m || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(m->multi = curl_multi_init())) {
        free(m);
        return NULL;
    }
    curl_multi_setopt(m->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->finished, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&m->thread, NULL, run, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        return m;
    curl_multi_cleanup(m->multi);
    free(m);
    return NULL;
}

struct http_multi *http_multi_new_guarded(void)
{
    struct http_multi *m = http_multi_new();

    if (m)
        m->guard = true; /* read by callers alone, of which there is none yet */
    return m;
}

void http_multi_free(struct http_multi *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    pthread_mutex_unlock(&m->lock);
    curl_multi_wakeup(m->multi);
    pthread_join(m->thread, NULL);
    curl_multi_cleanup(m->multi);
    pthread_cond_destroy(&m->finished);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void wait_for(struct http_multi *m, struct transfer *t)
{
    pthread_mutex_lock(&m->lock);
    struct transfer **end = &m->queue;
    while (*end)
        end = &(*end)->next;
    *end = t;
    curl_multi_wakeup(m->multi);
    while (!t->done)
        pthread_cond_wait(&m->finished, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

static void cut_back(struct buf *b, size_t n)
{
    if (!b || !b->p)
        return;
    b->n = n;
    b->p[n] = '\0';
}

enum err http_multi_call(struct http_multi *m, struct http_exchange *x)
{
    struct transfer t = {.x = x, .into_before = x->into ? x->into->n : 0};
    curl_off_t length = -1;
    long status = 0;
    enum err e;

    x->status = 0;
    x->length = -1;
    x->why[0] = '\0';
    for (size_t i = 0; i < x->nfields; i++)
        x->fields[i].value[0] = '\0';
    e = prepare(m, &t);
    if (!e) {
        wait_for(m, &t);
        e = result_of(&t);
        curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(t.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        if (e)
            snprintf(x->why, sizeof(x->why), "%s",
                t.err ? err_title(t.err) : curl_easy_strerror(t.code));
    }
    if (!e) {
        x->status = (int)status;
        x->length = length;
    }
    if (e || status < 200 || status >= 300)
        cut_back(x->into, t.into_before);
    curl_easy_cleanup(t.curl);
    curl_slist_free_all(t.headers);
    return e;
}
