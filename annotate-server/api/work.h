/* Handing work in: submit, verdict, skip. */
#ifndef API_WORK_H
#define API_WORK_H

#include "annotate-server/http/request.h"

struct transition;

/* The answer to work that was taken in. */
void work_answer(const struct transition *t, struct buf *out);

void submit_handler(struct req *r);
void verdict_handler(struct req *r);
void skip_handler(struct req *r);
void release_handler(struct req *r);
void heartbeat_handler(struct req *r);
void heartbeats_handler(struct req *r);
void draft_put_handler(struct req *r);
void draft_get_handler(struct req *r);
void predictions_handler(struct req *r);

#endif
