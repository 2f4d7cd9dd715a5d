/* The parts of a thread's event streams. Private to events.c and event_*.c.
 *
 * A feed is a tenant with listeners. It holds one position, a snapshot: all who are STREAM_LIVE
 * have what that snapshot sees. A read takes the difference from it to now and is sent to them all;
 * so a listener costs no statement. Who comes back with an id (STREAM_WAITING) is read for,
 * together with all that have the same one: up to where their id ends, then up to the feed's
 * position, where they go live. That position must be newer than anything they can have seen, so
 * the feed first reads for the others once more. A feed does one thing at a time:
 *
 *   IDLE ──due, or somebody waits──▶ READING ──▶ SENDING ──▶ IDLE
 *
 * Sending is cut into pieces and turns of the loop, so that ten thousand listeners do not hold up
 * the requests of others. A stream whose client does not read is dropped (I9): it comes back with
 * its id. */
#ifndef API_EVENT_FEED_H
#define API_EVENT_FEED_H

#include <sys/queue.h>

#include "annotate-server/api/event_batch.h"
#include "annotate-server/api/events.h"
#include "annotate-server/http/limit.h"

enum stream_state { STREAM_WAITING, STREAM_REPLAY, STREAM_LIVE };

struct stream { /* in its request's arena */
    struct req *r;
    struct feed *feed;
    struct login *login;
    TAILQ_ENTRY(stream) in_feed, in_beats;
    LIST_ENTRY(stream) in_login;
    enum stream_state state;
    int64_t project;    /* 0: all of its person's */
    uint32_t actions;   /* bits */
    struct event_id id; /* what its client has while it is not live; prev {NULL,0}: nothing */
    uint64_t joined;    /* feed->reads, then */
    uint64_t told;      /* feed->moves, as of the last id it was sent */
    int64_t beat_us;
    struct limit_key place;
};

struct grant {
    int64_t project;
    enum role role;
};

/* Who listens, by one token; all its streams share it. */
struct login {
    LIST_ENTRY(login) next;
    TAILQ_ENTRY(login) in_checks;
    struct principal who;
    struct grant *grants; /* by project, ascending */
    size_t n;
    int64_t asked_us, checked_us;
    LIST_HEAD(, stream) streams;
};

enum feed_doing { FEED_IDLE, FEED_READING, FEED_SENDING };

struct feed {
    LIST_ENTRY(feed) in_hub;
    struct events *hub;
    int64_t tenant;
    TAILQ_HEAD(, stream) streams;
    enum feed_doing doing;
    bool woken;
    bool replay;    /* what it does is for STREAM_REPLAY, else for STREAM_LIVE */
    bool lost;      /* what was asked for cannot be had any more */
    uint64_t reads; /* for the live ones, begun so far */
    uint64_t moves; /* of `at` */
    int64_t read_us, retry_us;
    struct buf at, ahead; /* the position; what it becomes when all is sent. Empty at first */
    struct timer timer;
    struct db_call call;
    struct arena *arena;
    struct event_id span; /* what is being read, in the arena */
    struct event_batch batch;
    size_t from, to;       /* the piece being sent */
    struct stream *cursor; /* whose turn it is */
};

enum { FEED_BUCKETS = 256, LOGIN_BUCKETS = 1024, TOUCHED_MAX = 64 };

struct events { /* of one loop thread */
    struct thread_ctx *ctx;
    LIST_HEAD(, feed) feeds[FEED_BUCKETS];
    LIST_HEAD(, login) logins[LOGIN_BUCKETS];
    TAILQ_HEAD(, stream) beats; /* by when their last heartbeat was */
    TAILQ_HEAD(, login) checks; /* by when their rights were asked for */
    int64_t touched[TOUCHED_MAX];
    int ntouched;
    int64_t told_us;
    struct timer tick, tell;
    struct buf out; /* scratch */
    bool draining, ticking;
};

/* event_feed.c */
/* The feed of a tenant, or NULL. */
struct feed *feed_find(struct events *h, int64_t tenant);
/* The stream is ready to be written to, and belongs to a login. */
void feed_join(struct events *h, int64_t tenant, struct stream *s);
/* Does not end it. The feed may die with its last stream, soon. */
void feed_leave(struct stream *s);
/* Begins what is due, if it does nothing now. May free the feed. */
void feed_go(struct feed *f);
void feed_heartbeat(struct stream *s);

/* events.c */
/* Takes it out of everything and ends its answer; cut: by breaking the connection. */
void stream_end(struct stream *s, bool cut);

/* event_login.c */
/* The login of a principal, made if there is none, with the rights of rows [from, to) of a result
 * of events_rights. */
struct login *login_learn(
    struct events *h, const struct principal *who, const PGresult *res, int from, int to);
void login_join(struct login *l, struct stream *s);
/* The last one frees the login. */
void login_leave(struct events *h, struct stream *s);
/* ROLE_NONE: not a member. */
enum role login_role(const struct login *l, int64_t project);
/* Asks again for the rights of those that were last asked for EVENTS_RIGHTS_MS ago: a statement a
 * tenant, as many as a turn of the loop may have. */
void login_check(struct events *h);
/* All of a tenant (0: of any) are due. */
void login_due(struct events *h, int64_t tenant);

#endif
