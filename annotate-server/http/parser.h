/* llhttp, one message at a time: heads as a whole, bodies as they come. No lenient flag is set, and
 * the parser must agree with head_find() about where a head ends. Where it is lax, a carriage
 * return before any byte but a line feed, the framing of chunks is checked here as well. */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include <llhttp/llhttp.h>

#include "annotate-server/http/head.h"

struct parser {
    llhttp_t llhttp;
    struct head *head; /* being filled */
    bool headers_done;
    bool complete;  /* the message has ended */
    size_t framing; /* bytes of a chunked body that were no content */
    size_t content;
    const char *framed; /* of the bytes being parsed: from here on they are not yet looked at */
    bool cr, lone_cr;   /* the framing ended in a carriage return; one stood alone */
    /* Content, borrowed. false: stop here for now. */
    bool (*on_body)(void *arg, struct str data);
    void *arg;
};

void parser_init(struct parser *p, bool (*on_body)(void *, struct str), void *arg);

/* Parses and checks a whole head. `text` is copied into the arena; *h points into the copy.
 * ERR_NOT_IMPLEMENTED: a method that we do not serve. */
enum err parser_head(struct parser *p, struct arena *a, struct str text, struct head *h) MUSTCHECK;

/* Feeds bytes of the body. Stops at the end of the message (p->complete) or when on_body says so;
 * *used tells how far it came. */
enum err parser_body(struct parser *p, struct str data, size_t *used) MUSTCHECK;

/* Has on_body stopped it? The next parser_body(), with or without bytes, goes on. */
bool parser_paused(const struct parser *p);

#endif
