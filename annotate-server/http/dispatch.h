/* What becomes of a request as its bytes arrive: a connection reports, dispatch.c acts. Private to
 * http/. */
#ifndef HTTP_DISPATCH_H
#define HTTP_DISPATCH_H

#include "annotate-server/http/conn.h"

extern const struct conn_events dispatch_events;

#endif
