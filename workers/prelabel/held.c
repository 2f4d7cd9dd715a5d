/* Owns the set of leases and the credits. */
#include "workers/prelabel/held.h"

#include <time.h>

#include "base/clock.h"

void held_init(struct held *h, size_t max_n, size_t max_bytes)
{
    pthread_condattr_t attr;

    *h = (struct held){.max_n = max_n, .max_bytes = max_bytes};
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->fewer, &attr);
    pthread_condattr_destroy(&attr);
}

void held_release(struct held *h)
{
    BUG_ON(h->first);
    pthread_cond_destroy(&h->fewer);
    pthread_mutex_destroy(&h->lock);
}

size_t held_room(struct held *h, const struct route *r, size_t want)
{
    size_t each = item_bytes(r), room;

    pthread_mutex_lock(&h->lock);
    room = h->bytes < h->max_bytes ? (h->max_bytes - h->bytes) / each : 0;
    if (room > h->max_n - h->n)
        room = h->max_n - h->n;
    if (room == 0 && h->n == 0)
        room = 1;
    pthread_mutex_unlock(&h->lock);
    return room < want ? room : want;
}

size_t held_count(struct held *h, int64_t project)
{
    size_t n = 0;

    pthread_mutex_lock(&h->lock);
    for (const struct item *i = h->first; i; i = i->next_h)
        n += i->route->project == project;
    pthread_mutex_unlock(&h->lock);
    return n;
}

static bool known(const struct held *h, const struct item *i)
{
    for (const struct item *k = h->first; k; k = k->next_h)
        if (k->assignment == i->assignment && k->version == i->version)
            return true;
    for (size_t k = 0; k < HELD_RECENT; k++)
        if (h->recent[k].assignment == i->assignment && h->recent[k].version == i->version)
            return true;
    return false;
}

bool held_add(struct held *h, struct item *i)
{
    pthread_mutex_lock(&h->lock);
    bool fresh = !known(h, i);
    if (fresh) {
        i->next_h = h->first;
        if (h->first)
            h->first->prev_h = i;
        h->first = i;
        h->n++;
        h->bytes += item_bytes(i->route);
    }
    pthread_mutex_unlock(&h->lock);
    return fresh;
}

void held_end(struct held *h, struct item *i)
{
    pthread_mutex_lock(&h->lock);
    if (i->prev_h)
        i->prev_h->next_h = i->next_h;
    else
        h->first = i->next_h;
    if (i->next_h)
        i->next_h->prev_h = i->prev_h;
    h->n--;
    h->bytes -= item_bytes(i->route);
    h->recent[h->ended++ % HELD_RECENT] = (struct lease){i->assignment, i->version};
    pthread_cond_broadcast(&h->fewer);
    pthread_mutex_unlock(&h->lock);
    item_free(i);
}

size_t held_list(struct held *h, struct lease *out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&h->lock);
    for (const struct item *i = h->first; i && n < max; i = i->next_h)
        if (!atomic_load(&i->lost))
            out[n++] = (struct lease){i->assignment, i->version};
    pthread_mutex_unlock(&h->lock);
    return n;
}

void held_lost(struct held *h, struct lease l)
{
    pthread_mutex_lock(&h->lock);
    for (struct item *i = h->first; i; i = i->next_h)
        if (i->assignment == l.assignment && i->version == l.version)
            atomic_store(&i->lost, true);
    pthread_mutex_unlock(&h->lock);
}

static void wait_until(struct held *h, int64_t deadline_us)
{
    struct timespec until = {deadline_us / 1000000, deadline_us % 1000000 * 1000};

    pthread_cond_timedwait(&h->fewer, &h->lock, &until);
}

void held_wait(struct held *h, int ms)
{
    pthread_mutex_lock(&h->lock);
    if (h->n)
        wait_until(h, clock_mono_us() + ms * 1000LL);
    pthread_mutex_unlock(&h->lock);
}

bool held_drain(struct held *h, int ms)
{
    int64_t deadline = clock_mono_us() + ms * 1000LL;

    pthread_mutex_lock(&h->lock);
    while (h->n && clock_mono_us() < deadline)
        wait_until(h, deadline);
    bool empty = h->n == 0;
    pthread_mutex_unlock(&h->lock);
    return empty;
}
