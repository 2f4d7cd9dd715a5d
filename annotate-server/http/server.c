/* Owns a thread's listener and the life of its connections. Never looks into a request. */
#include "annotate-server/http/server.h"

#include <errno.h>
#include <event2/listener.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "annotate-server/http/dispatch.h"
#include "base/hash.h"
#include "base/log.h"

enum { BACKLOG = 4096, RETRY_MS = 100, GZIP_LEVEL = 1 };

/* --- accepting --- */

/* At the cap, or out of descriptors: an enabled listener would spin. It is tried again when one of
 * our connections closes, and every RETRY_MS because another thread's may have. */
static void pause_accepting(struct http_server *sv)
{
    metrics_refused(sv->metrics);
    evconnlistener_disable(sv->listener);
    timer_start(&sv->retry, RETRY_MS);
}

static void resume_accepting(void *arg)
{
    struct http_server *sv = arg;

    if (!sv->listener || sv->draining)
        return;
    if (limit_full(sv->o.limit))
        timer_start(&sv->retry, RETRY_MS);
    else
        evconnlistener_enable(sv->listener);
}

static void on_accept(
    struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int len, void *arg)
{
    struct http_server *sv = arg;
    struct limit_key key;

    (void)l;
    (void)len;
    enum err e = limit_enter(sv->o.limit, from, &key);
    if (e) {
        close(fd);
        if (e == ERR_BUSY)
            pause_accepting(sv);
        else
            metrics_refused(sv->metrics);
        return;
    }
    conn_new(sv, fd, key);
    if (limit_full(sv->o.limit))
        pause_accepting(sv);
}

static void on_accept_error(struct evconnlistener *l, void *arg)
{
    int e = errno;

    (void)l;
    log_warn("accept", "errno %d; trying again in %d ms", e, RETRY_MS);
    pause_accepting(arg);
}

/* --- listening --- */

/* "127.0.0.1:8080", "[::1]:0". (libevent's parser takes no port 0.) */
static enum err parse_address(const char *text, struct sockaddr_storage *out, int *len)
{
    const char *colon = strrchr(text, ':');
    char host[64];
    int64_t port;

    if (!colon || (size_t)(colon - text) >= sizeof(host))
        return ERR_INVALID;
    if (!str_int(str_of(colon + 1), &port) || port < 0 || port > 65535)
        return ERR_INVALID;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    memset(out, 0, sizeof(*out));
    *len = (int)sizeof(*out);
    if (evutil_parse_sockaddr_port(host, (struct sockaddr *)(void *)out, len) != 0)
        return ERR_INVALID;
    if (out->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)out)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)(void *)out)->sin_port = htons((uint16_t)port);
    return ERR_OK;
}

/* With SO_REUSEPORT a second process of the same user would share the port without a word: a bind
 * without that option finds it out. */
static enum err check_free(const struct sockaddr_storage *sa, int len)
{
    int fd = socket(sa->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return ERR_IO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    int r = bind(fd, (const struct sockaddr *)(const void *)sa, (socklen_t)len);
    close(fd);
    return r == 0 ? ERR_OK : ERR_EXISTS;
}

static int port_of(evutil_socket_t fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    if (getsockname(fd, (struct sockaddr *)(void *)&sa, &len) != 0)
        return 0;
    if (sa.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&sa)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&sa)->sin_port);
}

static enum err start_listening(struct http_server *sv)
{
    const unsigned flags =
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE | LEV_OPT_REUSEABLE_PORT;
    struct sockaddr_storage sa;
    int len;
    enum err e = parse_address(sv->o.listen, &sa, &len);

    if (!e && sv->o.exclusive)
        e = check_free(&sa, len);
    if (e)
        return e;
    sv->listener = evconnlistener_new_bind(
        loop_base(sv->loop), on_accept, sv, flags, BACKLOG, (struct sockaddr *)(void *)&sa, len);
    if (!sv->listener)
        return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
    evconnlistener_set_error_cb(sv->listener, on_accept_error);
    sv->port = port_of(evconnlistener_get_fd(sv->listener));
    return ERR_OK;
}

int http_server_port(const struct http_server *sv)
{
    return sv->port;
}

size_t http_server_connections(const struct http_server *sv)
{
    return sv->n_conns;
}

/* --- draining --- */

static void end_drain(struct http_server *sv)
{
    void (*done)(void *) = sv->drained;

    if (!done)
        return;
    sv->drained = NULL;
    timer_stop(&sv->drain);
    done(sv->drained_arg);
}

static void on_drain_late(void *arg)
{
    struct http_server *sv = arg;
    struct conn *c;

    if (sv->n_conns)
        log_warn("drain", "%zu connections cut", sv->n_conns);
    LIST_FOREACH(c, &sv->conns, all)
    conn_cut(c, true);
    end_drain(sv);
}

static void conn_closed(struct http_server *sv)
{
    if (sv->draining && sv->n_conns == 0)
        timer_start(&sv->drain, 0);
    else if (sv->listener && !sv->draining && !limit_full(sv->o.limit))
        evconnlistener_enable(sv->listener);
}

void http_server_drain(struct http_server *sv, int64_t ms, void (*done)(void *), void *arg)
{
    struct conn *c;

    BUG_ON(sv->draining);
    sv->draining = true;
    sv->drained = done;
    sv->drained_arg = arg;
    timer_stop(&sv->retry);
    evconnlistener_free(sv->listener);
    sv->listener = NULL;
    LIST_FOREACH(c, &sv->conns, all)
    if (conn_is_idle(c))
        conn_cut(c, false);
    timer_start(&sv->drain, sv->n_conns ? ms : 0);
}

/* --- life --- */

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conn_run_ready(arg);
}

static void set_defaults(struct http_options *o)
{
    o->header_ms = o->header_ms ? o->header_ms : 10000;
    o->body_ms = o->body_ms ? o->body_ms : 10000;
    o->idle_ms = o->idle_ms ? o->idle_ms : 30000;
    o->rate = o->rate ? o->rate : 50000;
    o->per_connection = o->per_connection ? o->per_connection : 1000;
}

/* Edge-triggered events and EV_CLOSED are what conn.c is built on. */
static void check_events(struct event_base *base)
{
    int need = EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE;

    BUG_ON((event_base_get_features(base) & need) != need);
}

enum err http_server_new(struct loop *l, const struct http_options *o, struct http_server **out)
{
    struct http_server *sv = calloc(1, sizeof(*sv));

    BUG_ON(!sv || !o->limit);
    check_events(loop_base(l));
    signal(SIGPIPE, SIG_IGN); /* a peer that has gone is an error of the write, not of ours */
    sv->o = *o;
    sv->events = &dispatch_events;
    sv->conn_closed = conn_closed;
    set_defaults(&sv->o);
    sv->loop = l;
    LIST_INIT(&sv->conns);
    STAILQ_INIT(&sv->ready);
    timer_init(&sv->retry, l, resume_accepting, sv);
    timer_init(&sv->drain, l, on_drain_late, sv);
    sv->run_ready = event_new(loop_base(l), -1, 0, on_ready, sv);
    sv->scratch = malloc(CONN_READ_SIZE);
    sv->tokener = json_tokener_new_ex(33); /* json-c counts one more than json_scan() */
    BUG_ON(!sv->run_ready || !sv->scratch || !sv->tokener);
    json_tokener_set_flags(sv->tokener, JSON_TOKENER_STRICT);
    sv->gzip = gzip_new(GZIP_LEVEL);
    sv->metrics = metrics_new(o->routes, o->n_routes);
    buf_init(&sv->head, 4 * HEAD_MAX);
    random_bytes(sv->rng, sizeof(sv->rng));
    sv->rng[0] |= 1;
    enum err e = start_listening(sv);
    if (e) {
        http_server_free(sv);
        sv = NULL;
    }
    *out = sv;
    return e;
}

void http_server_free(struct http_server *sv)
{
    if (!sv)
        return;
    sv->draining = true;
    sv->drained = NULL;
    while (!LIST_EMPTY(&sv->conns))
        conn_free(LIST_FIRST(&sv->conns));
    if (sv->listener)
        evconnlistener_free(sv->listener);
    timer_release(&sv->retry);
    timer_release(&sv->drain);
    event_free(sv->run_ready);
    free(sv->scratch);
    json_tokener_free(sv->tokener);
    gzip_free(sv->gzip);
    metrics_free(sv->metrics);
    buf_release(&sv->head);
    free(sv);
}
