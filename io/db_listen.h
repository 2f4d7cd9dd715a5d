/* Hears notifications of one channel (LISTEN) on a connection of its own, which is connected again,
 * with jitter, whenever it is lost. What is sent meanwhile is not heard: a listener must not depend
 * on it. Belongs to one loop thread. */
#ifndef IO_DB_LISTEN_H
#define IO_DB_LISTEN_H

#include "base/str.h"
#include "io/loop.h"

struct db_listen;

/* conninfo: borrowed. channel: a plain lower-case SQL name. heard(arg, payload): payload is
 * borrowed for the call. */
struct db_listen *db_listen_new(struct loop *l, const char *conninfo, const char *channel,
    void (*heard)(void *arg, struct str payload), void *arg);
void db_listen_free(struct db_listen *s);

#endif
