/* From what a reader gives to a task: which control of the label config each mark is for, the
 * result items, and the line of NDJSON that the import takes. */
#ifndef FORMATS_RESULT_H
#define FORMATS_RESULT_H

#include "formats/reader.h"

struct result_options {
    const struct label_config *config;
    struct str map;   /* "old=new,old=new": other names for labels; empty: none */
    bool predictions; /* as predictions of the model `model`, not as annotations */
    const char *model;
    /* The address of a file of the source, good until the next call; empty: it has none. */
    struct str (*url)(void *arg, size_t file);
    void *arg;
};

/* The key of a task's data where its picture is: of the config's first <Image>. Empty: there is
 * none. */
struct str result_field(const struct label_config *config);

/* Appends the task as a line. Its result is checked as the server will (Label Studio's tasks go on
 * as they are); ERR_INVALID with where and why in r. Or ERR_NO_MEMORY, buf_err(out). */
enum err result_task(struct reader *r, const struct result_options *o,
    const struct reader_item *item, struct arena *a, struct buf *out) MUSTCHECK;

/* The same for a task of Label Studio, which result_task() calls. */
enum err result_studio(struct reader *r, const struct result_options *o,
    const struct reader_item *item, struct arena *a, struct buf *out) MUSTCHECK;

#endif
