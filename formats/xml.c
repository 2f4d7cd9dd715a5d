/* Owns the escaping of XML. */
#include "formats/xml.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *const references[0x80] = {
    ['&'] = "&amp;",
    ['<'] = "&lt;",
    ['>'] = "&gt;",
    ['"'] = "&quot;",
    ['\r'] = "&#13;",
    ['\n'] = "&#10;", /* of attributes alone, as the next */
    ['\t'] = "&#9;",
};

/* U+FFFE or U+FFFF. */
static bool is_no_character(struct str s)
{
    return str_starts(s, STR("\xef\xbf\xbe")) || str_starts(s, STR("\xef\xbf\xbf"));
}

static void escape(struct buf *out, struct str s, bool attribute)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool blank = c == '\t' || c == '\n';
        if (c < 0x80 && references[c] && (attribute || !blank)) {
            buf_puts(out, references[c]);
        } else if (c < 0x20 && !blank) {
            buf_puts(out, REPLACEMENT);
        } else if (c == 0xef && is_no_character((struct str){s.p + i, s.n - i})) {
            buf_puts(out, REPLACEMENT);
            i += 2;
        } else {
            buf_putc(out, (char)c);
        }
    }
}

void xml_text(struct buf *out, struct str s)
{
    escape(out, s, false);
}

void xml_attribute(struct buf *out, struct str s)
{
    escape(out, s, true);
}
