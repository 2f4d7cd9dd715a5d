/* Owns the choice of a sink's backend. Never touches a record. */
#include "workers/stream/sink.h"

#include "base/log.h"

static const struct sink_backend *const backends[] = {&sink_file, &sink_kafka};

enum err sink_init(struct sink *s, const struct sink_options *o)
{
    struct str rest = str_of(o->spec), name;

    *s = (struct sink){.options = *o};
    str_split(&rest, ':', &name);
    for (size_t i = 0; i < ARRAY_LEN(backends); i++)
        if (str_is(name, backends[i]->name) && rest.n) {
            s->backend = backends[i];
            s->where = rest.p;
            return ERR_OK;
        }
    log_error("stream_sink", "the sink %s is neither file:DIRECTORY nor kafka:HOST:PORT", o->spec);
    return ERR_INVALID;
}

enum err sink_open(struct sink *s)
{
    sink_close(s);
    return s->backend->open(s);
}

void sink_close(struct sink *s)
{
    if (s->state)
        s->backend->close(s);
    s->state = NULL;
}
