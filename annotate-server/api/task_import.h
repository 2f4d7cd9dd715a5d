/* An import at work: POST /v1/projects/{id}/tasks. The body is cut into items as it arrives
 * (task_import_text.c), each item is read and checked (task_import_item.c, task_import_label.c)
 * into the chunk being filled, and a full chunk is one pack and one statement (task_import_write.c)
 * while the next one is filled, at a pace that lets people work (task_import_pace.c). What is held
 * is two chunks and one item, however long the body (I9). task_import.c decides what comes next.
 *
 * What becomes of bad items is the client's choice:
 *   refuse  nothing is imported unless every item is good: the body goes to an unnamed file while
 *           it is checked, and is imported from there (task_import_spool.c)
 *   stop    the first bad item ends it; what came before stays
 *   skip    bad items are left out and reported */
#ifndef API_TASK_IMPORT_H
#define API_TASK_IMPORT_H

#include "annotate-server/api/quota.h"
#include "annotate-server/context.h"
#include "annotate-server/http/request.h"
#include "annotate-server/project.h"
#include "base/hash.h"
#include "base/json_scan.h"
#include "storage/pack.h"

enum {
    IMPORT_ITEM_MAX = 8 << 20, /* bytes of one task */
    IMPORT_ITEM_LABELS = 1000, /* annotations and predictions of one task */
    IMPORT_ERRORS = 100,       /* bad items that are reported */
    IMPORT_CHUNK_ITEMS = 2000, /* a chunk is full at either */
    IMPORT_CHUNK_SMALL = 200,  /* items that fill it while people work */
    IMPORT_CHUNK_BYTES = 1 << 20,
    IMPORT_PIECE = 256 << 10, /* read from the spool at once */
};

enum import_errors { IMPORT_REFUSE, IMPORT_STOP, IMPORT_SKIP };

/* The body, cut into items. */
struct import_text {
    struct buf in;  /* not cut yet */
    size_t scan_at; /* do not scan again before so much is there */
    enum { IMPORT_UNKNOWN, IMPORT_ARRAY, IMPORT_LINES } form;
    bool after_item, closed, ended;
    bool skip_line; /* drop what is left of a bad line */
    int64_t items;  /* seen so far: the index of the item at hand */
    int64_t line;   /* of what is next in `in`, from 1 */
};

struct import_label { /* of an item of the chunk */
    int item;         /* its place in the chunk, from 1 */
    bool prelabel;    /* a prediction; else an annotation */
    int seq;
    int64_t member;     /* annotation: whose, 0 = not known; */
    struct str email;   /* or by address (p NULL: not given) */
    struct str model;   /* prediction */
    double score, lead; /* below 0: not given */
    size_t off, bytes, regions;
    struct sha256 sha256;
};

enum import_column {
    ITEM_DATA,
    ITEM_META,
    ITEM_EXTERNAL,
    ITEM_PRIORITY,
    ITEM_LABELS,
    ITEM_HEAD,
    ITEM_SKILLS,
    IMPORT_COLUMNS
};

struct import_chunk {
    struct import *im;
    struct arena *arena; /* of its labels and parameters; NULL before the first */
    struct db_call call;
    struct db_array cols[IMPORT_COLUMNS];
    struct db_array *label_cols;
    int items;
    size_t bytes;
    struct import_label *labels;
    size_t nlabels, labels_cap;
    struct buf docs; /* canonical label documents, back to back */
    struct pack_item *places;
    struct pack_id pack;
    enum err pack_err;
    bool busy;
};

/* A body on disk. One job at a time; not for use while `busy`. */
struct import_spool {
    int fd; /* -1: none */
    int64_t size, at;
    char *piece;
    size_t n;
    enum err err;
    bool busy;
    struct import *im;
    void (*done)(struct import *im);
};

/* How it makes way for people. */
struct import_pace {
    bool polite;            /* somebody worked while the last chunk was written or checked */
    bool begun;             /* one is */
    int64_t begun_us, ever; /* when that was, and how many calls people had made by then */
    int64_t cut_us;         /* for how long since then it has kept the loop */
    int64_t rest_until_us;  /* the next chunk waits so long, */
    int64_t wait_until_us;  /* and while somebody waits for the database, but no longer than this */
    struct timer look;
};

struct import {
    struct req *r;
    enum import_errors errors;
    int64_t id;
    bool checking;               /* refuse: the first walk over the body */
    bool begun, telling, ending; /* its row is there, is being written, for the last time */
    bool paused;                 /* the body */
    bool body_done;              /* the client has sent it all */
    bool broken;                 /* no further item is taken */
    int64_t bytes;               /* of the body */
    struct import_text text;
    struct import_spool spool;
    struct import_pace pace;
    struct import_chunk chunks[2], *fill; /* fill: the one being gathered; the other may be busy */
    struct json_tokener *tokener;
    struct buf scratch; /* of one item */
    struct db_call call;
    struct timer beat; /* while `beating`: task_import_lease.c */
    bool beating;
    int64_t told;                   /* items at the last progress of a check */
    struct quota_room room;         /* of the tenant, as of the last chunk */
    int64_t new_tasks, label_bytes; /* refuse: what a checked body adds */
    const char *quota;              /* of err, when it is a quota: members of the problem */
    /* sums */
    int64_t created, skipped, failed, cancelled, labels, first, last;
    /* bad items */
    struct buf list; /* JSON, comma-separated: the first of them */
    enum err err;    /* of the first */
    int64_t err_item, err_line;
    char *pointer, *why;
};

/* The item at hand is bad: `pointer` is from the item down ("" = the item). `end`: nothing behind
 * it can be read either. Whether the import goes on is the mode's matter; im->broken says. */
void import_bad(struct import *im, enum err e, bool end, const char *pointer, const char *why);
/* Not an item's fault: ends the import. */
void import_break(struct import *im, enum err e, const char *why);
/* Looks what can be done now, and does it. Called after anything has come in or has ended. */
void import_advance(struct import *im);

/* task_import_text.c. Cuts items into the chunk until it is full, or bytes are wanted, or the
 * import is broken. */
void import_cut(struct import *im);
void import_text_init(struct import_text *t);
/* From the start again; keeps its memory. */
void import_text_rewind(struct import_text *t);

/* task_import_item.c: one whole item, scanned, into the chunk; or import_bad(). */
void import_item(struct import *im, struct str text);
/* A JSON text as a tree (the caller's); NULL also for null. */
struct json_object *import_parse(struct import *im, struct str text);

struct import_item { /* parts of the item's text; p NULL: not there */
    struct str data, meta, external_id, priority, skills, annotations, predictions;
};

/* task_import_label.c: adds the labels of the chunk's next item; false after import_bad(), and then
 * the chunk is as it was. *head: place of its head label among the chunk's, from 1; 0 = none. */
bool import_labels(struct import *im, const struct import_item *item, int *n, int *head) MUSTCHECK;

/* task_import_short.c: the result items that a shorthand stands for, a new list; NULL when it is
 * none.
 */
struct json_object *import_expand(
    const struct label_config *config, struct arena *a, struct json_object *result);

/* task_import_write.c */
void import_chunk_reset(struct import_chunk *c);
void import_chunk_release(struct import_chunk *c);
bool import_chunk_full(const struct import_chunk *c);
/* The chunk is written, then import_advance(); busy until then. */
void import_chunk_send(struct import_chunk *c);

/* task_import_lease.c: from its row's beginning to its end. Stopping one that was not started is
 * fine.
 */
void import_lease_start(struct import *im);
void import_lease_stop(struct import *im);

/* task_import_quota.c: the tenant's quotas. Where there is none they cost nothing. */
/* Is there room for one more item, with labels? Else it is refused like a bad one. */
bool import_has_room(struct import *im, bool labels) MUSTCHECK;
/* What is on its way takes all the room: wait what becomes of it. */
bool import_fills_room(const struct import *im);
/* Instead of sending a chunk of a body that is being checked: adds what it would take. True: it is
 * busy until import_advance(); false: there are no limits. */
bool import_chunk_weigh(struct import_chunk *c);
/* After a chunk: how much room is left, then import_advance(). False: there are no limits. */
bool import_chunk_measure(struct import_chunk *c);
/* At the end of a check: false after import_break(). */
bool import_fits(struct import *im);

/* task_import_pace.c */
void import_pace_init(struct import *im);
void import_pace_release(struct import *im);
/* A chunk's statement has been sent, or the check of one begins. */
void import_pace_begin(struct import *im);
/* The statement has ended; the chunk is full (more often than once does no harm). */
void import_pace_written(struct import *im);
void import_pace_checked(struct import *im);
/* Whether the next chunk has to wait; import_advance() is then called again soon. */
bool import_pace_wait(struct import *im);
/* How many items fill a chunk now. */
int import_pace_items(const struct import *im);

/* task_import_spool.c. flush and read end with done(im) on the loop, err set. */
enum err import_spool_open(struct import_spool *s, struct import *im) MUSTCHECK;
void import_spool_close(struct import_spool *s);
/* Not while busy. True when it is time to flush. */
bool import_spool_add(struct import_spool *s, struct str data);
void import_spool_flush(struct import_spool *s, void (*done)(struct import *im));
/* The next piece, n bytes; 0 at the end. */
void import_spool_read(struct import_spool *s, void (*done)(struct import *im));

#endif
