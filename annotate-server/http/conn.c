/* Owns a connection's socket, buffers, deadlines and states. Never looks into a request. */
#include "annotate-server/http/conn.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    TELL_AGAIN_MS = 50,
    MAX_BODY_SECONDS = 7 * 86400,
    MAX_STEPS = 256, /* of one connection before others have their turn */
};

enum step { STEP_AGAIN, STEP_WAIT, STEP_FREED };

/* --- deadlines: absolute; the timer fires at or before the nearest and is then set anew --- */

static void arm(struct conn *c)
{
    int64_t at = c->input_us;

    if (c->output_us && (!at || c->output_us < at))
        at = c->output_us;
    if (!at || (c->armed_us && c->armed_us <= at))
        return;
    c->armed_us = at;
    int64_t left = at - clock_mono_us();
    timer_start(&c->timer, left > 0 ? left / 1000 + 1 : 1);
}

static void input_deadline(struct conn *c, int64_t ms)
{
    c->input_us = clock_mono_us() + ms * 1000;
    arm(c);
}

void conn_expect_body(struct conn *c)
{
    const struct exchange *x = c->x;
    const struct http_options *o = &c->sv->o;
    int64_t size = x->head.length > x->received ? x->head.length : x->received;
    int64_t seconds = size / o->rate;

    if (seconds > MAX_BODY_SECONDS) /* a length may be any number of 18 digits */
        seconds = MAX_BODY_SECONDS;
    if (x->paused_us)
        c->input_us = 0;
    else
        c->input_us = x->body_us + o->body_ms * 1000 + seconds * 1000000;
    arm(c);
}

/* Bytes that the kernel has and the peer has not acknowledged. */
static int64_t unacked(const struct conn *c)
{
    int n = 0;

    return ioctl(c->fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

static void output_deadline(struct conn *c)
{
    if (evbuffer_get_length(c->out) == 0) {
        c->output_us = 0;
        return;
    }
    if (c->output_us)
        return;
    c->given = unacked(c);
    c->output_us = clock_mono_us() + c->sv->o.body_ms * 1000;
    arm(c);
}

static void input_late(struct conn *c)
{
    c->input_us = 0;
    if (c->state == CONN_BODY && !c->x->discard)
        c->sv->events->broken(c->x, ERR_TIMEOUT);
    else if (c->state == CONN_HEAD && c->in.n > c->in_off)
        c->sv->events->refuse(c, ERR_TIMEOUT);
    else if (c->state != CONN_HELD)
        conn_cut(c, false);
}

/* A client may read slowly, but not below half the rate over a whole period. What it has taken is
 * what it has acknowledged: the kernel takes nothing for long, then much at once. Half, because a
 * receiver's window opens in steps, too. */
static void output_late(struct conn *c)
{
    int64_t want = c->sv->o.rate * c->sv->o.body_ms / 2000;

    c->output_us = 0;
    if (c->given - unacked(c) < want)
        conn_cut(c, true);
    else
        output_deadline(c);
}

static void on_timer(void *arg)
{
    struct conn *c = arg;
    int64_t now = clock_mono_us();

    c->armed_us = 0;
    if (c->output_us && c->output_us <= now)
        output_late(c);
    if (c->input_us && c->input_us <= now)
        input_late(c);
    arm(c);
    conn_wake(c);
}

/* --- the end --- */

void conn_cut(struct conn *c, bool reset)
{
    if (c->state == CONN_CLOSED)
        return;
    if (reset) {
        struct linger l = {.l_onoff = 1, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    }
    c->state = CONN_CLOSED;
    c->input_us = c->output_us = 0;
    timer_stop(&c->timer);
    event_del(c->ev);
    close(c->fd);
    evbuffer_drain(c->out, evbuffer_get_length(c->out));
    limit_leave(c->sv->o.limit, c->key);
    metrics_connections(c->sv->metrics, -1);
    conn_wake(c); /* the request is told from there: never from inside a call of its handler */
}

void conn_free(struct conn *c)
{
    struct http_server *sv = c->sv;

    if (c->x) {
        c->x->told = true; /* nobody is left to be told */
        conn_cut(c, true);
        c->sv->events->free(c->x);
    }
    conn_cut(c, false);
    if (c->is_ready)
        STAILQ_REMOVE(&sv->ready, c, conn, ready);
    LIST_REMOVE(c, all);
    sv->n_conns--;
    timer_release(&c->timer);
    event_free(c->ev);
    evbuffer_free(c->out);
    buf_release(&c->in);
    free(c);
    sv->conn_closed(sv);
}

/* After a short read the socket is empty until the next edge, unless the peer had reset it even
 * before: its bytes come first, and no edge follows. Who has just written to it, or has looked,
 * knows that it lives and need not read it a second time. */
static void all_read(struct conn *c)
{
    if (c->drained && !c->hangup)
        c->readable = false;
}

/* --- output --- */

static void on_error(struct conn *c)
{
    conn_cut(c, false);
}

void conn_flush(struct conn *c)
{
    while (c->state != CONN_CLOSED && evbuffer_get_length(c->out) > 0) {
        int n = evbuffer_write(c->out, c->fd);
        if (n <= 0) {
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                on_error(c);
            break;
        }
        c->given += n;
    }
    output_deadline(c);
}

static void queue(struct conn *c, struct str s, bool keep)
{
    if (s.n == 0)
        return;
    if (keep)
        evbuffer_add_reference(c->out, s.p, s.n, NULL, NULL);
    else
        evbuffer_add(c->out, s.p, s.n);
}

void conn_write(struct conn *c, struct str a, struct str b, bool keep)
{
    size_t sent = 0;

    if (c->state == CONN_CLOSED)
        return;
    if (evbuffer_get_length(c->out) == 0) { /* the usual case: one system call, no copy */
        struct iovec v[2] = {{(void *)(uintptr_t)a.p, a.n}, {(void *)(uintptr_t)b.p, b.n}};
        ssize_t n = writev(c->fd, v, b.n ? 2 : 1);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            on_error(c);
            return;
        }
        sent = n > 0 ? (size_t)n : 0;
        all_read(c);
    }
    size_t of_a = sent < a.n ? sent : a.n;
    queue(c, (struct str){a.p + of_a, a.n - of_a}, false);
    queue(c, (struct str){b.p + (sent - of_a), b.n - (sent - of_a)}, keep);
    c->given += (int64_t)sent;
    output_deadline(c);
}

/* --- input --- */

static bool wants_input(const struct conn *c)
{
    if (c->state == CONN_BODY)
        return !c->x->paused_us || c->x->discard;
    return c->state == CONN_LINGER || (c->state == CONN_HEAD && evbuffer_get_length(c->out) == 0);
}

/* Takes what it can of p[0..n); the number of bytes it is done with. In HEAD it takes all or
 * nothing of a head. */
static size_t take_head(struct conn *c, const char *p, size_t n)
{
    size_t len;
    enum err e = head_find(p, n, &c->scanned, &len);

    if (e) {
        c->sv->events->refuse(c, e);
        return n;
    }
    if (len) {
        c->input_us = 0;
        c->scanned = 0;
        c->state = CONN_HELD;
        c->sv->events->begin(c, (struct str){p, len});
    }
    return len;
}

static size_t take_body(struct conn *c, const char *p, size_t n)
{
    size_t used;
    enum err e = parser_body(&c->parser, (struct str){p, n}, &used);

    if (c->state != CONN_BODY) /* a callback has cut or refused it */
        return n;
    if (e) {
        c->sv->events->broken(c->x, e);
        return n;
    }
    if (c->parser.complete) {
        c->input_us = 0;
        c->state = CONN_HELD;
        c->sv->events->body_end(c->x);
    } else {
        conn_expect_body(c);
    }
    return used;
}

static size_t take(struct conn *c, const char *p, size_t n)
{
    if (c->state == CONN_HEAD)
        return take_head(c, p, n);
    return c->state == CONN_BODY ? take_body(c, p, n) : n;
}

/* Keeps the rest of a read for later. */
static void keep(struct conn *c, const char *p, size_t n)
{
    bool first = c->in.n == 0;

    if (n == 0 || c->state == CONN_CLOSED)
        return;
    buf_add(&c->in, p, n);
    if (buf_err(&c->in))
        conn_cut(c, true);
    else if (c->state == CONN_HEAD && first && c->served) /* the first head's runs from accept on */
        input_deadline(c, c->sv->o.header_ms);
}

static enum step take_kept(struct conn *c)
{
    size_t n = c->in.n - c->in_off, used = take(c, c->in.p + c->in_off, n);

    c->in_off += used;
    if (c->in_off == c->in.n) {
        buf_release(&c->in); /* an idle connection holds no buffer */
        c->in_off = 0;
    }
    return used ? STEP_AGAIN : STEP_WAIT;
}

static enum step at_end(struct conn *c)
{
    c->readable = false;
    c->hangup = true;
    if (c->state != CONN_CLOSED)
        conn_cut(c, false);
    return STEP_AGAIN;
}

static enum step read_more(struct conn *c)
{
    char *p = c->sv->scratch;
    ssize_t n = read(c->fd, p, CONN_READ_SIZE);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        c->readable = errno == EINTR;
        return STEP_AGAIN;
    }
    if (n <= 0)
        return at_end(c);
    c->drained = n < CONN_READ_SIZE;
    if (c->in.n) { /* a head that came in pieces */
        if (c->in_off) {
            memmove(c->in.p, c->in.p + c->in_off, c->in.n - c->in_off);
            c->in.n -= c->in_off;
            c->in_off = 0;
        }
        keep(c, p, (size_t)n);
        return STEP_AGAIN;
    }
    size_t used = take(c, p, (size_t)n);
    keep(c, p + used, (size_t)n - used);
    return STEP_AGAIN;
}

static enum step step_input(struct conn *c)
{
    if (c->in.n > c->in_off && take_kept(c) == STEP_AGAIN)
        return STEP_AGAIN;
    if (!wants_input(c))
        return STEP_AGAIN;
    if (c->state == CONN_BODY && parser_paused(&c->parser)) { /* perhaps right at the end */
        take_body(c, "", 0);
        return STEP_AGAIN;
    }
    return c->readable ? read_more(c) : STEP_WAIT;
}

/* --- states --- */

/* A handler may set on_close only later, when it begins to wait: so it is looked for again. */
static void tell(struct conn *c)
{
    c->sv->events->tell(c->x);
    if (!c->x->answered && !c->x->told)
        input_deadline(c, TELL_AGAIN_MS);
}

/* Nothing is being read: has the peer gone? A FIN alone may be a half-close: once its body is in,
 * the request is told; its answer is still sent. */
static void look_for_hangup(struct conn *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

    if (c->readable && !c->hangup && poll(&p, 1, 0) == 1) {
        if (p.revents & (POLLERR | POLLHUP)) {
            conn_cut(c, false);
            return;
        }
        c->hangup = true;
    }
    all_read(c);
    if (c->hangup && c->x && c->x->handled && c->x->body_done)
        tell(c);
}

static void next_request(struct conn *c)
{
    c->state = CONN_HEAD;
    c->scanned = 0;
    input_deadline(c, c->in.n > c->in_off ? c->sv->o.header_ms : c->sv->o.idle_ms);
}

/* The answer is given: the request ends. */
static enum step step_answered(struct conn *c)
{
    c->sv->events->free(c->x);
    if (c->state == CONN_CLOSED)
        return STEP_AGAIN;
    if (c->close || c->sv->draining) {
        c->state = CONN_FLUSH;
        c->input_us = 0;
    } else {
        next_request(c);
    }
    return STEP_AGAIN;
}

/* Closing with unread bytes would reset the connection and could destroy the answer on its way. */
static enum step step_flushed(struct conn *c)
{
    bool unread = c->in.n > c->in_off || c->readable || !c->parser.complete;

    if (!unread) {
        conn_cut(c, false);
        return STEP_AGAIN;
    }
    shutdown(c->fd, SHUT_WR);
    c->state = CONN_LINGER;
    c->readable = true;
    input_deadline(c, CONN_LINGER_MS);
    return STEP_AGAIN;
}

static void call_on_drain(struct conn *c)
{
    struct exchange *x = c->x;
    void (*fn)(struct req *) = x ? x->on_drain : NULL;

    if (!fn || evbuffer_get_length(c->out) > CONN_OUT_LOW)
        return;
    x->on_drain = NULL;
    fn(&x->r);
}

static enum step step(struct conn *c)
{
    struct exchange *x = c->x;

    if (c->state == CONN_CLOSED && !x) {
        conn_free(c);
        return STEP_FREED;
    }
    if (x && x->answered && (x->body_done || c->close || c->state == CONN_CLOSED))
        return step_answered(c);
    if (c->state == CONN_CLOSED) {
        tell(c);
        return x->answered ? STEP_AGAIN : STEP_WAIT;
    }
    if (evbuffer_get_length(c->out) > 0) {
        conn_flush(c);
        if (c->state == CONN_CLOSED)
            return STEP_AGAIN;
    }
    call_on_drain(c);
    if (x && x->answered && x->body_done)
        return STEP_AGAIN;
    if (wants_input(c))
        return step_input(c);
    if (c->state == CONN_FLUSH)
        return evbuffer_get_length(c->out) == 0 ? step_flushed(c) : STEP_WAIT;
    look_for_hangup(c);
    return c->state == CONN_CLOSED || (x && x->answered) ? STEP_AGAIN : STEP_WAIT;
}

static void conn_run(struct conn *c)
{
    enum step s = STEP_AGAIN;

    if (c->running)
        return;
    c->running = true;
    for (int n = 0; n < MAX_STEPS && (s == STEP_AGAIN || c->again); n++) {
        c->again = false;
        s = step(c);
        if (s == STEP_FREED)
            return;
    }
    c->running = false;
    if (s == STEP_AGAIN || c->again) { /* the timer's turn comes after the sockets' */
        c->armed_us = 1;
        timer_start(&c->timer, 0);
    }
}

void conn_wake(struct conn *c)
{
    struct http_server *sv = c->sv;

    c->again = true;
    if (c->running || c->is_ready)
        return;
    c->is_ready = true;
    if (STAILQ_EMPTY(&sv->ready))
        event_active(sv->run_ready, EV_TIMEOUT, 0);
    STAILQ_INSERT_TAIL(&sv->ready, c, ready);
}

void conn_run_ready(struct http_server *sv)
{
    STAILQ_HEAD(, conn) now = STAILQ_HEAD_INITIALIZER(now);

    STAILQ_CONCAT(&now, &sv->ready);
    while (!STAILQ_EMPTY(&now)) {
        struct conn *c = STAILQ_FIRST(&now);
        STAILQ_REMOVE_HEAD(&now, ready);
        c->is_ready = false;
        conn_run(c);
    }
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;

    (void)fd;
    if (what & (EV_READ | EV_CLOSED))
        c->readable = true;
    c->drained = false;
    if (what & EV_CLOSED)
        c->hangup = true;
    conn_run(c);
}

void conn_new(struct http_server *sv, int fd, struct limit_key key)
{
    struct conn *c = calloc(1, sizeof(*c));
    int on = 1;

    BUG_ON(!c);
    c->sv = sv;
    c->fd = fd;
    c->key = key;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    parser_init(&c->parser, c->sv->events->body, c);
    c->parser.complete = true;
    buf_init(&c->in, HEAD_MAX + 2 * CONN_READ_SIZE);
    c->out = evbuffer_new();
    BUG_ON(!c->out);
    evbuffer_set_flags(c->out, EVBUFFER_FLAG_DRAINS_TO_FD); /* files go by sendfile(2) */
    timer_init(&c->timer, sv->loop, on_timer, c);
    LIST_INSERT_HEAD(&sv->conns, c, all);
    sv->n_conns++;
    metrics_connections(sv->metrics, 1);
    c->ev = event_new(
        loop_base(sv->loop), fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, c);
    BUG_ON(!c->ev || event_add(c->ev, NULL) != 0);
    input_deadline(c, sv->o.header_ms);
}
