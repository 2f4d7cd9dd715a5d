/* Owns the loop between source and sink, and when to commit. Never keeps a position anywhere but in
 * the sink, and never skips an event: what cannot be sent stops it, with an alarm in the log. */
#include "workers/stream/relay.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "workers/stream/envelope.h"

enum {
    TRANSACTION_RECORDS = 5000, /* a transaction costs 15 to 35 ms in Kafka: never one a record */
    TRANSACTION_BYTES = 16 << 20,
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 5000,
    REPORT_US = 10000000, /* between two lines of lag in the log */
};

struct relay {
    const struct relay_options *o;
    struct source *source; /* NULL: not connected, or what it said last was an error */
    struct sink sink;
    struct blob_store blobs;
    struct envelope envelope;
    struct position at;        /* behind the last record put */
    struct position committed; /* what the sink has */
    struct buf doc, text;
    bool started, in_transaction;
    int64_t records, bytes; /* of the transaction */
    int64_t oldest_us;      /* time of its oldest event, by the database's clock */
    int64_t clock_us;       /* the database's clock less ours */
    struct {
        int64_t since_us, records, transactions, max_lag_us;
    } report;
};

static bool stopping(const struct relay *r)
{
    return *r->o->sink.stop != 0;
}

/* --- the transaction --- */

static enum err put(struct relay *r, const struct source_row *row, const struct record *record)
{
    enum err e;

    if (!r->in_transaction) {
        if ((e = r->sink.backend->begin(&r->sink)))
            return e;
        r->in_transaction = true;
        r->records = r->bytes = 0;
        r->oldest_us = row->at_us;
    }
    if ((e = r->sink.backend->put(&r->sink, record)))
        return e;
    r->records++;
    r->bytes += (int64_t)(record->key.n + record->value.n);
    r->oldest_us = row->at_us < r->oldest_us ? row->at_us : r->oldest_us;
    return FAULT("stream_put");
}

static bool full(const struct relay *r)
{
    return r->records >= TRANSACTION_RECORDS || r->bytes >= TRANSACTION_BYTES;
}

static void count(struct relay *r)
{
    int64_t lag = clock_mono_us() + r->clock_us - r->oldest_us;

    r->report.records += r->records;
    r->report.transactions++;
    r->report.max_lag_us = lag > r->report.max_lag_us ? lag : r->report.max_lag_us;
}

/* Commits what has been put, with the position behind it. */
static enum err commit(struct relay *r)
{
    enum err e;

    if (!r->in_transaction)
        return ERR_OK;
    buf_clear(&r->text);
    position_print(&r->at, &r->text);
    if ((e = buf_err(&r->text)) || (e = FAULT("stream_before_commit")) ||
        (e = r->sink.backend->commit(&r->sink, buf_view(&r->text))))
        return e;
    r->in_transaction = false;
    position_copy(&r->committed, &r->at);
    count(r);
    return FAULT("stream_after_commit");
}

/* --- from a row to its records --- */

static enum err put_event(struct relay *r, const struct source_row *row)
{
    struct record record;
    enum err e = envelope_event(&r->envelope, row, &record);

    return e ? e : put(r, row, &record);
}

static enum err put_tombstone(struct relay *r, const struct source_row *row)
{
    struct record record;

    envelope_tombstone(&r->envelope, row, &record);
    return put(r, row, &record);
}

static enum err read_doc(
    struct relay *r, const struct source_row *row, const struct source_label *label)
{
    enum err e;

    buf_clear(&r->doc);
    if (!label->id || label->bytes > LABEL_INLINE_MAX)
        return ERR_OK;
    e = pack_get(
        &r->blobs, row->tenant, label->pack, label->off, label->bytes, label->sha256, &r->doc);
    if (e == ERR_GONE) /* by reference: who follows it is told that it was erased */
        return ERR_OK;
    if (e)
        log_error("stream_alarm",
            "label %" PRId64 " of task %" PRId64 " cannot be read from the blob storage: %s. The "
            "stream waits here until it can.",
            label->id, row->task, err_title(e));
    return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

static enum err put_label(struct relay *r, const struct source_row *row)
{
    struct source_label label;
    struct record record;
    enum err e = source_label(r->source, row, &label);

    if (e == ERR_NOT_FOUND) /* the task is gone since: nothing is left to be had */
        return put_tombstone(r, row);
    if (e || (e = read_doc(r, row, &label)) ||
        (e = envelope_label(&r->envelope, row, &label, buf_view(&r->doc), &record)))
        return e;
    return put(r, row, &record);
}

static enum err put_items(struct relay *r, const struct source_row *row, bool *whole)
{
    struct release_item item;
    struct record record;
    bool got = true;
    enum err e;

    if ((e = source_items(r->source, row, r->at.part - 1)))
        return e;
    while (!(e = source_next_item(r->source, &item, &got)) && got) {
        if ((e = envelope_release_item(&r->envelope, row, r->at.part, &item, &record)) ||
            (e = put(r, row, &record)))
            return e;
        r->at.part++;
        if (full(r) && ((e = commit(r)) || stopping(r)))
            break;
    }
    *whole = !e && !got;
    return e ? e : source_items_end(r->source);
}

/* A release may be larger than a transaction, so its part that is out belongs to the position. */
static enum err put_release(struct relay *r, const struct source_row *row, bool *whole)
{
    struct source_release release;
    struct record record;
    enum err e = source_release(r->source, row, &release);

    if (e == ERR_NOT_FOUND) {
        log_warn(
            "stream_release", "release %" PRId64 " is gone since it became ready", row->release);
        return ERR_OK;
    }
    if (e)
        return e;
    if (r->at.part == 0) {
        if ((e = envelope_release_begin(&r->envelope, row, &release, &record)) ||
            (e = put(r, row, &record)))
            return e;
        r->at.part = 1;
    }
    if ((e = put_items(r, row, whole)) || !*whole)
        return e;
    if ((e = envelope_release_end(&r->envelope, row, &release, &record)))
        return e;
    return put(r, row, &record);
}

/* *whole false: stopped in the middle of it, with the position saying where. */
static enum err put_row(struct relay *r, const struct source_row *row, bool *whole)
{
    enum err e = r->at.part ? ERR_OK : put_event(r, row);

    *whole = true;
    if (e)
        return e;
    switch (envelope_effect(row)) {
    case EFFECT_LABEL:
        return put_label(r, row);
    case EFFECT_WITHDRAW:
        return put_tombstone(r, row);
    case EFFECT_RELEASE:
        return put_release(r, row, whole);
    case EFFECT_NONE:
        break;
    }
    return ERR_OK;
}

/* --- batches --- */

/* Begins a batch at the snapshot of now; *idle when nothing has happened in the whole cluster. */
static enum err begin_batch(struct relay *r, bool *idle)
{
    int64_t now_us;
    enum err e;

    *idle = false;
    if (r->at.cur.n)
        return ERR_OK; /* recovered in the middle of one */
    if ((e = source_boundary(r->source, &r->at.cur, &now_us)))
        return e;
    r->clock_us = now_us - clock_mono_us();
    *idle = str_eq(buf_view(&r->at.cur), buf_view(&r->at.prev));
    if (*idle)
        buf_clear(&r->at.cur);
    return ERR_OK;
}

static enum err put_rows(struct relay *r, int64_t *rows, bool *end)
{
    struct source_row row;
    bool got, whole;
    enum err e;

    *end = false;
    while (!(e = source_next(r->source, &row, &got)) && got && !stopping(r)) {
        if ((e = put_row(r, &row, &whole)))
            return e;
        ++*rows;
        if (!whole)
            return ERR_OK;
        r->at.done = row.seq;
        r->at.part = 0;
        if (full(r) && (e = commit(r)))
            return e;
    }
    *end = !e && !got;
    return e;
}

/* One batch, or what is left of it. A batch without events moves the position in memory only: to
 * read it again after a crash costs nothing and finds nothing. */
static enum err run_batch(struct relay *r, int64_t *rows)
{
    bool idle, end;
    enum err e;

    *rows = 0;
    if ((e = begin_batch(r, &idle)) || idle)
        return e;
    if ((e = source_batch(r->source, &r->at)) || (e = put_rows(r, rows, &end)) ||
        (e = source_batch_end(r->source)))
        return e;
    if (end)
        position_advance(&r->at);
    return commit(r);
}

/* --- starting, failing, going on --- */

/* The position that the sink has; a new one only where there are no records either. */
static enum err read_position(struct relay *r)
{
    bool used;
    enum err e;

    buf_clear(&r->text);
    if ((e = r->sink.backend->recover(&r->sink, &r->text, &used)))
        return e;
    position_release(&r->at);
    if (r->text.n == 0) {
        position_init(&r->at);
        if (!used || r->o->from_start)
            return ERR_OK;
        log_error("stream_alarm",
            "%s holds events but no position. Starting anew would send every event again: say so "
            "with the word from-start, or choose another --topic-prefix.",
            r->o->sink.spec);
        return ERR_CONFLICT;
    }
    if ((e = position_parse(&r->at, buf_view(&r->text))))
        log_error("stream_alarm", "%s holds a position that this program cannot read: %.*s",
            r->o->sink.spec, STR_FMT(buf_view(&r->text)));
    return e;
}

static enum err connect(struct relay *r)
{
    enum err e;

    if ((e = sink_open(&r->sink)) || (e = read_position(r)) ||
        (e = source_open(&r->source, r->o->db)) || (e = source_check(r->source, &r->at)))
        return e;
    r->at.generation++;
    r->in_transaction = false;
    position_copy(&r->committed, &r->at);
    log_info("stream_start", "to %s from seq %" PRId64 " of snapshot %.*s, generation %" PRId64,
        r->o->sink.spec, r->at.done, STR_FMT(buf_view(&r->at.prev)), r->at.generation);
    if (!r->started && r->o->started)
        r->o->started(r->o->ctx);
    r->started = true;
    return ERR_OK;
}

static void disconnect(struct relay *r)
{
    source_close(r->source);
    r->source = NULL;
    sink_close(&r->sink);
}

/* Goes back to the committed position. Only an aborted transaction leaves the connections good. */
static void go_back(struct relay *r, enum err e)
{
    log_warn("stream_retry", "%s; going back to the committed position", err_title(e));
    if (r->in_transaction)
        r->sink.backend->abort(&r->sink);
    r->in_transaction = false;
    if (e != ERR_BUSY || !r->source || source_batch_end(r->source) || source_items_end(r->source)) {
        disconnect(r);
        return;
    }
    position_copy(&r->at, &r->committed);
}

static bool hopeless(enum err e)
{
    return e == ERR_CONFLICT || e == ERR_INVALID || e == ERR_TOO_LARGE || e == ERR_FULL;
}

static void wait_ms(const struct relay *r, int64_t ms)
{
    while (
        ms > 0 && !stopping(r)) { /* in pieces: a signal may come between the look and the sleep */
        int64_t piece = ms < 100 ? ms : 100;
        struct timespec t = {.tv_nsec = (long)(piece * 1000000)};
        (void)nanosleep(&t, NULL);
        ms -= piece;
    }
}

static void report(struct relay *r)
{
    int64_t now = clock_mono_us(), took = now - r->report.since_us;

    if (took < REPORT_US)
        return;
    if (r->report.records)
        log_info("stream_lag",
            "records=%" PRId64 " transactions=%" PRId64 " per_s=%" PRId64 " max_lag_ms=%" PRId64,
            r->report.records, r->report.transactions, r->report.records * 1000000 / took,
            r->report.max_lag_us / 1000);
    r->report.records = r->report.transactions = r->report.max_lag_us = 0;
    r->report.since_us = now;
}

static enum err loop(struct relay *r)
{
    int64_t backoff = BACKOFF_MIN_MS, rows = 0;
    enum err e;

    while (!stopping(r)) {
        e = r->source ? ERR_OK : connect(r);
        if (!e)
            e = run_batch(r, &rows);
        if (e && hopeless(e))
            return e;
        if (e) {
            go_back(r, e);
            wait_ms(r, backoff);
            backoff = 2 * backoff < BACKOFF_MAX_MS ? 2 * backoff : BACKOFF_MAX_MS;
            continue;
        }
        backoff = BACKOFF_MIN_MS;
        report(r);
        if (rows == 0)
            wait_ms(r, r->o->poll_ms);
    }
    return ERR_OK;
}

enum err relay_run(const struct relay_options *o)
{
    struct relay r = {.o = o, .report.since_us = clock_mono_us()};
    enum err e;

    if ((e = sink_init(&r.sink, &o->sink)) || (e = blob_open(&r.blobs, o->blobs)))
        return e;
    position_init(&r.at);
    position_init(&r.committed);
    buf_init(&r.doc, LABEL_INLINE_MAX);
    buf_init(&r.text, BUF_MAX_LABEL);
    envelope_init(&r.envelope, r.at.system);
    e = loop(&r);
    if (e == ERR_CONFLICT)
        log_error("stream_stop", "another relay has taken over, or the stream and the database do "
                                 "not belong together");
    else if (e)
        log_error("stream_stop", "%s", err_title(e));
    if (e && r.in_transaction)
        r.sink.backend->abort(&r.sink);
    disconnect(&r);
    envelope_release(&r.envelope);
    buf_release(&r.text);
    buf_release(&r.doc);
    position_release(&r.committed);
    position_release(&r.at);
    blob_close(&r.blobs);
    return e;
}
