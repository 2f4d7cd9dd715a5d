/* Owns quotes and escapes of YAML. Source: yaml.org/spec/1.2.2, chapters 5.7 and 7.3. */
#include "formats/yaml.h"

#include "base/utf8.h"

/* ---- writing */

/* Beyond ASCII and JSON's own: what YAML takes for the end of a line, or does not allow. */
static bool must_escape(uint32_t c)
{
    return (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe ||
           c == 0xffff;
}

void yaml_quote(struct buf *out, struct str s)
{
    struct buf json;
    struct str text;

    buf_init(&json, BUF_MAX_LABEL);
    buf_json(&json, s);
    text = buf_view(&json);
    for (size_t i = 0, n; i < text.n; i += n) {
        int bytes = utf8_length(text.p + i, text.p + text.n);
        uint32_t c = bytes > 0 ? utf8_decode(text.p + i, bytes) : 0;
        n = bytes > 0 ? (size_t)bytes : 1;
        if (must_escape(c))
            buf_printf(out, "\\u%04x", c);
        else
            buf_add(out, text.p + i, n);
    }
    if (buf_err(&json))
        out->err = buf_err(&json);
    buf_release(&json);
}

/* ---- reading */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What may stand behind a scalar. */
static bool is_end(struct str rest)
{
    struct str text = str_trim(rest);

    return text.n == 0 || (text.p[0] == '#' && is_blank(rest.p[0]));
}

static const struct {
    char letter;
    uint32_t c;
} letters[] = {
    {'a', 0x07},
    {'b', 0x08},
    {'t', 0x09},
    {'\t', 0x09},
    {'n', 0x0a},
    {'v', 0x0b},
    {'f', 0x0c},
    {'r', 0x0d},
    {'e', 0x1b},
    {' ', 0x20},
    {'"', 0x22},
    {'/', 0x2f},
    {'\\', 0x5c},
    {'N', 0x85},
    {'_', 0xa0},
    {'L', 0x2028},
    {'P', 0x2029},
};

/* Digits at text.p[*at]. */
static bool read_hex(struct str text, size_t *at, size_t digits, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits; i++, (*at)++) {
        const char *hex = "0123456789abcdef0123456789ABCDEF";
        const char *digit = *at < text.n ? memchr(hex, text.p[*at], 32) : NULL;
        if (!digit)
            return false;
        *out = *out << 4 | (uint32_t)((digit - hex) % 16);
    }
    return true;
}

/* The two halves of JSON's \ud83d\udc11. */
static bool join_surrogates(struct str text, size_t *at, uint32_t *c)
{
    uint32_t low;

    if (*c < 0xd800 || *c > 0xdfff)
        return true;
    if (*c > 0xdbff || text.n - *at < 2 || text.p[*at] != '\\' || text.p[*at + 1] != 'u')
        return false;
    *at += 2;
    if (!read_hex(text, at, 4, &low) || low < 0xdc00 || low > 0xdfff)
        return false;
    *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* The character of the escape whose letter is at text.p[*at]. */
static bool read_escape(struct str text, size_t *at, uint32_t *c)
{
    char letter = *at < text.n ? text.p[(*at)++] : '\0';
    size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;

    if (digits)
        return read_hex(text, at, digits, c) && join_surrogates(text, at, c) && *c > 0 &&
               *c <= 0x10ffff;
    for (size_t i = 0; i < ARRAY_LEN(letters); i++)
        if (letters[i].letter == letter) {
            *c = letters[i].c;
            return true;
        }
    return false;
}

static bool double_quoted(struct arena *a, struct str text, struct str *out)
{
    char *p = arena_alloc(a, 2 * text.n); /* an escape of two bytes is three at most */
    size_t n = 0, at = 1;
    uint32_t c;

    while (at < text.n && text.p[at] != '"') {
        if (text.p[at] != '\\') {
            p[n++] = text.p[at++];
            continue;
        }
        at++;
        if (!read_escape(text, &at, &c))
            return false;
        n += utf8_encode(c, p + n);
    }
    *out = (struct str){p, n};
    return at < text.n && is_end((struct str){text.p + at + 1, text.n - at - 1});
}

/* A quote in it is there twice. */
static bool single_quoted(struct arena *a, struct str text, struct str *out)
{
    char *p = arena_alloc(a, text.n + 1);
    size_t n = 0, at = 1;

    while (at < text.n) {
        bool quote = text.p[at] == '\'';
        bool twice = quote && at + 1 < text.n && text.p[at + 1] == '\'';
        if (quote && !twice)
            break;
        p[n++] = text.p[at];
        at += twice ? 2 : 1;
    }
    *out = (struct str){p, n};
    return at < text.n && is_end((struct str){text.p + at + 1, text.n - at - 1});
}

bool yaml_scalar(struct arena *a, struct str text, struct str *out)
{
    text = str_trim(text);
    if (text.n && text.p[0] == '"')
        return double_quoted(a, text, out);
    if (text.n && text.p[0] == '\'')
        return single_quoted(a, text, out);
    (void)yaml_cut(&(struct str){text.p, text.n}, '#', &text);
    *out = arena_str(a, str_trim(text));
    return out->n == 0 || !strchr("[{&*!|>%@`", out->p[0]);
}

/* A quote opens where a scalar can begin; elsewhere it is a part of one: driver's. */
static bool opens(struct str text, size_t at)
{
    while (at > 0 && is_blank(text.p[at - 1]))
        at--;
    return at == 0 || strchr("[{,:", text.p[at - 1]);
}

/* Behind the quotes that open at text.p[at]; the end when they do not close. */
static size_t skip_quotes(struct str text, size_t at)
{
    char quote = text.p[at++];

    while (at < text.n && text.p[at] != quote)
        at += text.p[at] == '\\' && quote == '"' ? 2 : 1;
    return at < text.n ? at + 1 : text.n;
}

bool yaml_cut(struct str *rest, char sep, struct str *part)
{
    struct str text = *rest;
    size_t i = 0;

    if (!text.p)
        return false;
    while (i < text.n) {
        char c = text.p[i];
        if ((c == '"' || c == '\'') && opens(text, i))
            i = skip_quotes(text, i);
        else if (c == sep && (sep != '#' || i == 0 || is_blank(text.p[i - 1])))
            break;
        else
            i++;
    }
    *part = (struct str){text.p, i};
    *rest = i < text.n ? (struct str){text.p + i + 1, text.n - i - 1} : (struct str){NULL, 0};
    return true;
}
