/* A request's body on its way into blob storage: pieces are written off the loop while the next one
 * arrives, so memory does not grow with the body (I9). */
#ifndef API_RECEIVE_H
#define API_RECEIVE_H

#include "annotate-server/api/query.h"

struct receive {
    struct req *r;
    int64_t received; /* bytes so far */
    /* Whether this many bytes may come; answers itself when not. NULL: any. */
    bool (*allows)(struct receive *v, int64_t bytes);
    /* All is here: on a work thread, consumes v->blob and sets v->err. */
    void (*commit)(struct receive *v);
    /* On the loop, after a commit that went well: answers, now or later. */
    void (*stored)(struct receive *v);
    /* On the loop, after one that did not; NULL: answers v->err. */
    void (*refused)(struct receive *v);
    struct blob_upload *blob;
    struct buf head; /* the first SNIFF_BYTES */
    enum err err;
    /* its own */
    struct buf filling, writing;    /* swapped: one gathers while the other is written */
    bool busy, ended, failed, gone; /* gone: the client; what is in flight ends it */
};

/* Takes charge of the request of v (whose first members are set, the rest zero): what the handler
 * asks the database first may take its time. v lies in the request's arena. */
void receive_init(struct receive *v);
/* Lets the body come. */
void receive_start(struct receive *v);
/* Answers an error, once. */
void receive_fail(struct receive *v, enum err e);

#endif
