/* Text and attributes of XML, escaped; for formats that write it by hand. */
#ifndef FORMATS_XML_H
#define FORMATS_XML_H

#include "base/buf.h"

/* Read back as they are: & < > " and carriage returns escaped; what XML 1.0 cannot say (control
 * characters, U+FFFE, U+FFFF) replaced by U+FFFD. Valid UTF-8. */
void xml_text(struct buf *out, struct str s);
/* The same between the quotes of an attribute, where tabs and line ends would become blanks. */
void xml_attribute(struct buf *out, struct str s);

#endif
