/* Checks a whole stream record by record: that nothing is there twice, that the versions of every
 * task grow by one (I2), that the labels are those of the tasks that are done, that every release
 * has its items and its root. Order between topics does not matter. Memory grows with the number of
 * events: 24 bytes each. */
#ifndef CLI_STREAM_CHECK_H
#define CLI_STREAM_CHECK_H

#include <stdio.h>

#include "core/record.h"

struct stream_check;

struct stream_check *stream_check_new(void);
void stream_check_free(struct stream_check *c);

void stream_check_add(struct stream_check *c, const struct record *r);
/* Draws the sum, prints it as one JSON object, and returns how many things are wrong. */
int64_t stream_check_report(struct stream_check *c, FILE *out);

#endif
