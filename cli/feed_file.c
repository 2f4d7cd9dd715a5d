/* Owns reading the file sink's log (storage/batch_log.h). Never shows a batch that is not whole. */
#include <stdlib.h>
#include <time.h>

#include "cli/feed.h"
#include "cli/say.h"
#include "storage/batch_log.h"

enum { WAIT_MS = 50 };

struct file_feed {
    struct batch_reader reader;
    struct str lines;         /* of the batch, behind the record shown last */
    struct json_object *tree; /* of that record */
};

static void file_close(struct feed *f)
{
    struct file_feed *s = f->state;

    json_object_put(s->tree);
    batch_reader_close(&s->reader);
    free(s);
}

static enum err file_open(struct feed *f)
{
    struct file_feed *s = calloc(1, sizeof(*s));

    BUG_ON(!s);
    f->state = s;
    enum err e = batch_reader_open(&s->reader, f->where);
    if (e)
        fail("%s: no stream can be read there (%s).", f->where, err_title(e));
    return e;
}

static void wait_a_moment(void)
{
    const struct timespec t = {.tv_nsec = WAIT_MS * 1000000L};

    (void)nanosleep(&t, NULL);
}

/* Makes sure that there is a line to read, or says that there is none. */
static enum err fill(struct feed *f, struct file_feed *s, bool *got)
{
    struct str position;
    enum err e = ERR_OK;

    *got = true;
    while (!e && *got && s->lines.n == 0)
        e = batch_reader_next(&s->reader, &s->lines, &position, got);
    if (e)
        fail("%s: the stream is damaged (%s).", f->where, err_title(e));
    return e;
}

static enum err file_next(struct feed *f, struct record *out, bool *got)
{
    struct file_feed *s = f->state;
    struct str line;
    enum err e;

    do {
        if ((e = fill(f, s, got)) || !*got) {
            if (!e)
                wait_a_moment();
            return e;
        }
        json_object_put(s->tree);
        s->tree = NULL;
        (void)str_split(&s->lines, '\n', &line);
        if ((e = record_parse(line, out, &s->tree))) {
            s->tree = NULL;
            fail("%s: a line is not a record of the stream.", f->where);
            return e;
        }
    } while (!f->wanted[out->topic]);
    return ERR_OK;
}

const struct feed_backend feed_file = {file_open, file_next, file_close};
