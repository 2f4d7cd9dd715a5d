/* Owns the first stage: from an address to a filled tensor, or to the word that says why not. */
#include <stdlib.h>

#include "base/log.h"
#include "workers/prelabel/worker.h"

/* What a failed fetch or decode means for the task: a word for people, or NULL = try again later.
 */
static const char *fetch_failure(enum err e)
{
    switch (e) {
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
    case ERR_BUSY:
    case ERR_RATE:
    case ERR_NO_MEMORY:
    case ERR_INTERNAL:
    case ERR_IO:
    case ERR_UNAUTHENTICATED: /* our own trouble, not the picture's */
        return NULL;
    case ERR_FULL:
        return "too-large";
    default:
        return "fetch";
    }
}

static void give_up_or_back(struct item *i, const char *word, enum err e, const char *what)
{
    log_warn("item", "assignment %lld: %s: %s", (long long)i->assignment, what, err_slug(e));
    if (word)
        item_fail(i, word);
    else
        i->fate = FATE_RELEASE;
}

static void decode(struct fetcher *f, struct item *i)
{
    const struct model *m = i->route->lane->model;
    struct decode_spec spec = tensor_spec(m);
    unsigned char *pixels = malloc(decode_size(&spec));

    i->tensor = malloc(model_in(m) * sizeof(*i->tensor));
    enum err e = pixels && i->tensor ? ERR_OK : ERR_UNAVAILABLE;
    if (!e)
        e = sandbox_decode(f->sandbox, &spec, buf_view(&f->file), pixels);
    if (!e)
        tensor_fill(m, pixels, i->tensor);
    else
        give_up_or_back(i, e == ERR_UNAVAILABLE ? NULL : "decode", e, "decode");
    free(pixels);
}

void *fetch_thread(void *arg)
{
    struct fetcher *f = arg;
    struct item *i;

    while (queue_take(&f->w->fetch, &i, 1, 0, NULL)) {
        enum err e =
            i->address ? server_fetch(f->api, f->outside, i->address, &f->file) : ERR_INVALID;
        if (e)
            give_up_or_back(i, fetch_failure(e), e, "fetch");
        else
            decode(f, i);
        queue_put(i->fate == FATE_LABEL ? &f->w->infer : &f->w->post, i);
    }
    return NULL;
}
