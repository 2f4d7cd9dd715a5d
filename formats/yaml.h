/* Scalars of YAML, written and read: plain ones and both kinds of quotes, each on one line. Never
 * block texts, anchors, tags or aliases. */
#ifndef FORMATS_YAML_H
#define FORMATS_YAML_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends a text in quotes that YAML 1.1 and 1.2 and JSON read as it was. Valid UTF-8. */
void yaml_quote(struct buf *out, struct str s);
/* The text of a scalar, a comment behind it left out; in the arena. false: it is none, or its
 * quotes cannot be read. */
bool yaml_scalar(struct arena *a, struct str text, struct str *out);
/* Cuts the part before `sep` off *rest, as str_split() does; but not inside of quotes, and '#' only
 * where it begins a comment. */
bool yaml_cut(struct str *rest, char sep, struct str *part);

#endif
