/* Owns the escaping of XML. */
#include "formats/xml.h"

void xml_text(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '&')
            buf_puts(out, "&amp;");
        else if (c == '<')
            buf_puts(out, "&lt;");
        else if (c == '>')
            buf_puts(out, "&gt;");
        else if (c == '"')
            buf_puts(out, "&quot;");
        else if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            buf_puts(out, "\xef\xbf\xbd");
        else
            buf_putc(out, (char)c);
    }
}
