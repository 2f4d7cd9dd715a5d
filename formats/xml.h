/* Text and attributes of XML, escaped; for formats that write it by hand. */
#ifndef FORMATS_XML_H
#define FORMATS_XML_H

#include "base/buf.h"

/* & < > " escaped, control characters (which XML 1.0 cannot say) replaced by U+FFFD. */
void xml_text(struct buf *out, struct str s);

#endif
