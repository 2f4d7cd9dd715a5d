/* How an export is wanted: as a job or streamed, the same words and the same defaults. */
#ifndef API_EXPORT_ORDER_H
#define API_EXPORT_ORDER_H

#include "annotate-server/http/request.h"
#include "formats/container.h"
#include "formats/format.h"

struct export_order {
    const struct format *format;
    enum container_kind container;
    bool media, labelled;
};

/* Sets format and container by their names, p NULL: jsonl, and what the export needs at least;
 * media is set already. What the exporter would refuse is refused here. false: answered. */
bool export_order_set(
    struct req *r, struct export_order *o, struct str format, struct str container);

#endif
