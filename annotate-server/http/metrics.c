/* Owns the HTTP counters. One writer per block, so a relaxed load and store are exact. */
#include "annotate-server/http/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const int64_t bounds_us[] = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
    500000, 1000000, 2500000, 5000000, 10000000};

enum { CLASSES = 5, BUCKETS = ARRAY_LEN(bounds_us) + 1 };

struct row {
    _Atomic uint64_t by_class[CLASSES];
    _Atomic uint64_t bucket[BUCKETS]; /* not cumulative */
    _Atomic uint64_t sum_us;
};

struct metrics {
    struct metrics *next;
    const struct route *table;
    size_t n;
    _Atomic uint64_t in_flight, connections, accepted, refused;
    struct row row[]; /* n routes, then "none" */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static struct metrics *blocks;

static void add(_Atomic uint64_t *c, uint64_t v)
{
    uint64_t now = atomic_load_explicit(c, memory_order_relaxed);

    atomic_store_explicit(c, now + v, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

struct metrics *metrics_new(const struct route *table, size_t n)
{
    struct metrics *m = calloc(1, sizeof(*m) + (n + 1) * sizeof(m->row[0]));

    BUG_ON(!m);
    m->table = table;
    m->n = n;
    pthread_mutex_lock(&lock);
    BUG_ON(blocks && blocks->table != table);
    m->next = blocks;
    blocks = m;
    pthread_mutex_unlock(&lock);
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&lock);
    struct metrics **at = &blocks;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    pthread_mutex_unlock(&lock);
    free(m);
}

void metrics_request(struct metrics *m, const struct route *route, int status, int64_t us)
{
    struct row *r = &m->row[route ? (size_t)(route - m->table) : m->n];
    size_t b = 0;

    while (b < ARRAY_LEN(bounds_us) && us > bounds_us[b])
        b++;
    add(&r->by_class[status / 100 - 1], 1);
    add(&r->bucket[b], 1);
    add(&r->sum_us, (uint64_t)us);
}

void metrics_in_flight(struct metrics *m, int delta)
{
    add(&m->in_flight, (uint64_t)(int64_t)delta);
}

void metrics_connections(struct metrics *m, int delta)
{
    add(&m->connections, (uint64_t)(int64_t)delta);
    if (delta > 0)
        add(&m->accepted, 1);
}

void metrics_refused(struct metrics *m)
{
    add(&m->refused, 1);
}

struct total {
    uint64_t by_class[CLASSES], bucket[BUCKETS], count, sum_us;
};

static struct total total_of(size_t route)
{
    struct total t = {0};

    for (const struct metrics *m = blocks; m; m = m->next) {
        const struct row *r = &m->row[route];
        for (size_t i = 0; i < CLASSES; i++)
            t.by_class[i] += get(&r->by_class[i]);
        for (size_t i = 0; i < BUCKETS; i++) {
            uint64_t n = get(&r->bucket[i]);
            t.bucket[i] += n;
            t.count += n;
        }
        t.sum_us += get(&r->sum_us);
    }
    return t;
}

static const char *route_label(size_t i)
{
    return i < blocks->n ? blocks->table[i].name : "none";
}

static void print_requests(struct buf *out)
{
    buf_puts(out, "# HELP annotate_http_requests_total Answers by route and class of status.\n"
                  "# TYPE annotate_http_requests_total counter\n");
    for (size_t i = 0; i <= blocks->n; i++) {
        struct total t = total_of(i);
        for (int c = 0; c < CLASSES; c++)
            if (t.by_class[c])
                buf_printf(out, "annotate_http_requests_total{route=\"%s\",status=\"%dxx\"} %llu\n",
                    route_label(i), c + 1, (unsigned long long)t.by_class[c]);
    }
}

static void print_seconds(struct buf *out)
{
    buf_puts(out, "# HELP annotate_http_request_seconds From the whole head to the answer.\n"
                  "# TYPE annotate_http_request_seconds histogram\n");
    for (size_t i = 0; i <= blocks->n; i++) {
        struct total t = total_of(i);
        uint64_t below = 0;
        if (t.count == 0)
            continue;
        for (size_t b = 0; b < ARRAY_LEN(bounds_us); b++) {
            below += t.bucket[b];
            buf_printf(out, "annotate_http_request_seconds_bucket{route=\"%s\",le=\"%g\"} %llu\n",
                route_label(i), (double)bounds_us[b] / 1e6, (unsigned long long)below);
        }
        buf_printf(out,
            "annotate_http_request_seconds_bucket{route=\"%s\",le=\"+Inf\"} %llu\n"
            "annotate_http_request_seconds_sum{route=\"%s\"} %.6f\n"
            "annotate_http_request_seconds_count{route=\"%s\"} %llu\n",
            route_label(i), (unsigned long long)t.count, route_label(i), (double)t.sum_us / 1e6,
            route_label(i), (unsigned long long)t.count);
    }
}

static void print_one(
    struct buf *out, const char *name, const char *type, const char *help, size_t offset)
{
    uint64_t sum = 0;

    for (const struct metrics *m = blocks; m; m = m->next)
        sum += get((const _Atomic uint64_t *)(const void *)((const char *)m + offset));
    buf_printf(
        out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name, (long long)sum);
}

void metrics_print(struct buf *out)
{
    pthread_mutex_lock(&lock);
    if (blocks) {
        print_requests(out);
        print_seconds(out);
        print_one(out, "annotate_http_in_flight", "gauge", "Requests without an answer yet.",
            offsetof(struct metrics, in_flight));
        print_one(out, "annotate_http_connections", "gauge", "Open client connections.",
            offsetof(struct metrics, connections));
        print_one(out, "annotate_http_connections_accepted_total", "counter",
            "Client connections ever accepted.", offsetof(struct metrics, accepted));
        print_one(out, "annotate_http_connections_refused_total", "counter",
            "Times that no connection could be taken: a cap, or no descriptors.",
            offsetof(struct metrics, refused));
    }
    pthread_mutex_unlock(&lock);
}
