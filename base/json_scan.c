/* Owns the strict JSON scan: a recursive descent over the bytes, its depth capped. Never builds
 * values and never looks at a byte twice, but for keys when they are compared. */
#include "base/json_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

/* Where the scan is in the text, and why it stopped. */
struct cursor {
    const char *p, *end;
    bool more; /* it failed only because the text ends here */
    enum err err;
    const char *why, *at;
};

/* A member name as it stands between its quotes, escapes and all, and a hash of what it means. */
struct key {
    struct str raw;
    uint32_t hash;
};

/* One open array or object. */
struct level {
    struct str key; /* object: the member being scanned, p is NULL before the first */
    size_t index;   /* array: the element being scanned */
    bool object;
};

struct scan {
    struct cursor at;
    const char *start;
    int depth, max_depth;
    bool open; /* bytes may follow the end of the text */
    struct level levels[JSON_DEPTH_MAX];
    struct key *keys; /* of all open objects, the outermost first: a stack */
    size_t nkeys, key_cap;
    struct key few[64]; /* what `keys` points to until that is too small */
};

static bool bad_at(struct cursor *c, const char *at, const char *why)
{
    c->err = ERR_BAD_JSON;
    c->at = at;
    c->why = why;
    return false;
}

static bool bad(struct cursor *c, const char *why)
{
    return bad_at(c, c->p, why);
}

static bool ends(struct cursor *c)
{
    c->more = true;
    return bad_at(c, c->end, "the text ends too early");
}

static void skip_space(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
        c->p++;
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The XXXX of \uXXXX at c->p. */
static bool scan_unit(struct cursor *c, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, c->p++) {
        if (c->p == c->end)
            return ends(c);
        int digit = hex_digit(*c->p);
        if (digit < 0)
            return bad(c, "\\u needs four hexadecimal digits");
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

/* After "\u": a character of the basic plane, or a pair of surrogates. */
static bool scan_unicode(struct cursor *c, const char *from, uint32_t *out)
{
    uint32_t low;

    if (!scan_unit(c, out))
        return false;
    if (*out == 0)
        return bad_at(c, from, "\\u0000 is not allowed");
    if (*out < 0xd800 || *out > 0xdfff)
        return true;
    if (*out > 0xdbff)
        return bad_at(c, from, "a lone surrogate");
    for (const char *want = "\\u"; *want; want++, c->p++) {
        if (c->p == c->end)
            return ends(c);
        if (*c->p != *want)
            return bad_at(c, from, "a lone surrogate");
    }
    if (!scan_unit(c, &low))
        return false;
    if (low < 0xdc00 || low > 0xdfff)
        return bad_at(c, from, "a lone surrogate");
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* What the letter after a backslash stands for; 0 = nothing. */
static uint32_t short_escape(char letter)
{
    static const char pairs[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* letter, meaning */

    for (const char *p = pairs; *p; p += 2)
        if (*p == letter)
            return (unsigned char)p[1];
    return 0;
}

static bool scan_escape(struct cursor *c, uint32_t *out)
{
    const char *from = c->p++; /* the backslash */

    if (c->p == c->end)
        return ends(c);
    char letter = *c->p++;
    if (letter == 'u')
        return scan_unicode(c, from, out);
    *out = short_escape(letter);
    return *out != 0 || bad_at(c, from, "no such escape");
}

/* The next character of a string, c->p is inside it. */
static inline bool scan_char(struct cursor *c, uint32_t *out)
{
    unsigned char byte = (unsigned char)*c->p;

    if (byte == '\\')
        return scan_escape(c, out);
    if (byte >= 0x20 && byte < 0x80) { /* most of all text */
        *out = byte;
        c->p++;
        return true;
    }
    if (byte < 0x20)
        return bad(c, "a control character in a string");
    int n = utf8_length(c->p, c->end);
    if (n < 0)
        return ends(c);
    if (n == 0)
        return bad(c, "invalid UTF-8");
    *out = utf8_decode(c->p, n);
    c->p += n;
    return true;
}

/* A string from its opening quote on. `hash` is FNV-1a over its characters. */
static bool scan_string(struct cursor *c, struct key *key)
{
    const char *from = ++c->p;
    uint32_t hash = 2166136261U, character = 0;

    while (c->p < c->end && *c->p != '"') {
        if (!scan_char(c, &character))
            return false;
        hash = (hash ^ character) * 16777619U;
    }
    if (c->p == c->end)
        return ends(c);
    *key = (struct key){{from, (size_t)(c->p - from)}, hash};
    c->p++;
    return true;
}

/* ---- numbers ---- */

static size_t skip_digits(struct cursor *c)
{
    const char *from = c->p;

    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return (size_t)(c->p - from);
}

/* At least one digit. */
static bool scan_digits(struct cursor *c, const char *why)
{
    if (c->p == c->end)
        return ends(c);
    return skip_digits(c) > 0 || bad(c, why);
}

enum { SMALL_INTEGER = 15 }; /* so many characters are always below 2^53 */

static bool check_integer(struct cursor *c, const char *from)
{
    int64_t v;

    if (!str_int((struct str){from, (size_t)(c->p - from)}, &v) || v > JSON_INT_MAX ||
        v < -JSON_INT_MAX)
        return bad_at(c, from, "an integer beyond 2^53-1");
    return true;
}

/* Of a number with a fraction or an exponent. Doubles over 2^53 are whole, and up to 1e21 their
 * canonical form is plain digits: those are refused like the integers they would become. */
static bool check_double(struct cursor *c, const char *from)
{
    char text[JSON_MAX_NUMBER + 1];
    size_t n = (size_t)(c->p - from);

    memcpy(text, from, n);
    text[n] = '\0';
    double v = fabs(strtod(text, NULL));
    if (!isfinite(v))
        return bad_at(c, from, "a number too large for a double");
    return v <= (double)JSON_INT_MAX || v >= 1e21 || bad_at(c, from, "an integer beyond 2^53-1");
}

/* `open`: the end of the text need not be the end of the number, so that it cannot be judged yet.
 */
static bool scan_number(struct cursor *c, bool open)
{
    const char *from = c->p;
    bool fraction, exponent;
    ptrdiff_t whole; /* characters before the point */

    if (*c->p == '-')
        c->p++;
    if (c->p < c->end && *c->p == '0')
        c->p++;
    else if (!scan_digits(c, "not a number"))
        return false;
    whole = c->p - from;
    fraction = c->p < c->end && *c->p == '.';
    if (fraction) {
        c->p++;
        if (!scan_digits(c, "a digit must follow the point"))
            return false;
    }
    exponent = c->p < c->end && (*c->p == 'e' || *c->p == 'E');
    if (exponent) {
        c->p++;
        if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
            c->p++;
        if (!scan_digits(c, "a digit must follow the exponent"))
            return false;
    }
    if (c->p - from > JSON_MAX_NUMBER)
        return bad_at(c, from, "a number of too many digits");
    if (open && c->p == c->end)
        return ends(c);
    if (!fraction && !exponent)
        return check_integer(c, from);
    return (!exponent && whole <= SMALL_INTEGER) || check_double(c, from);
}

static bool scan_word(struct cursor *c, const char *word)
{
    const char *from = c->p;

    for (; *word; word++, c->p++) {
        if (c->p == c->end)
            return ends(c);
        if (*c->p != *word)
            return bad_at(c, from, "not a JSON value");
    }
    return true;
}

/* ---- keys ---- */

/* The next character of a key that was scanned before, decoded; there is one. */
static uint32_t key_char(struct cursor *c)
{
    uint32_t character = 0;

    BUG_ON(!scan_char(c, &character));
    return character;
}

/* Compares what the keys mean, whatever their escapes. */
static int key_text_cmp(struct str a, struct str b)
{
    struct cursor ca = {.p = a.p, .end = a.p + a.n}, cb = {.p = b.p, .end = b.p + b.n};

    while (ca.p < ca.end && cb.p < cb.end) {
        uint32_t x = key_char(&ca), y = key_char(&cb);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (ca.p < ca.end) - (cb.p < cb.end);
}

static int key_cmp(const void *va, const void *vb)
{
    const struct key *a = va, *b = vb;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return key_text_cmp(a->raw, b->raw);
}

static bool push_key(struct scan *s, struct key key)
{
    if (s->nkeys == JSON_MAX_KEYS)
        return bad(&s->at, "too many keys");
    if (s->nkeys == s->key_cap) {
        size_t cap = s->key_cap * 2;
        struct key *keys = malloc(cap * sizeof(*keys));
        if (!keys) {
            s->at.err = ERR_NO_MEMORY;
            return false;
        }
        memcpy(keys, s->keys, s->nkeys * sizeof(*keys));
        if (s->keys != s->few)
            free(s->keys);
        s->keys = keys;
        s->key_cap = cap;
    }
    s->keys[s->nkeys++] = key;
    return true;
}

/* At the end of an object: its keys are those from `first` on. Sorted, equal ones are neighbours,
 * so that n keys cost n log n whatever they hash to. */
static bool pop_keys(struct scan *s, size_t first)
{
    struct key *keys = s->keys + first;
    size_t n = s->nkeys - first;

    if (n > 1)
        qsort(keys, n, sizeof(*keys), key_cmp);
    for (size_t i = 1; i < n; i++) {
        if (key_cmp(&keys[i - 1], &keys[i]) != 0)
            continue;
        const char *a = keys[i - 1].raw.p, *b = keys[i].raw.p;
        s->levels[s->depth - 1].key = keys[i].raw;
        return bad_at(&s->at, a > b ? a : b, "a key given twice");
    }
    s->nkeys = first;
    return true;
}

/* ---- values ---- */

static bool scan_value(struct scan *s);

static bool scan_member(struct scan *s, struct level *level)
{
    struct cursor *c = &s->at;
    struct key key;

    level->key.p = NULL;
    if (c->p == c->end)
        return ends(c);
    if (*c->p != '"')
        return bad(c, "a key must follow");
    if (!scan_string(c, &key) || !push_key(s, key))
        return false;
    level->key = key.raw;
    skip_space(c);
    if (c->p == c->end)
        return ends(c);
    if (*c->p != ':')
        return bad(c, "a colon must follow the key");
    c->p++;
    return scan_value(s);
}

/* What follows a member or element: *closed after the closing bracket, else past a comma. */
static bool scan_separator(struct cursor *c, char close, bool *closed)
{
    skip_space(c);
    if (c->p == c->end)
        return ends(c);
    *closed = *c->p == close;
    if (!*closed && *c->p != ',')
        return bad(c, close == '}' ? "a comma or } must follow" : "a comma or ] must follow");
    c->p++;
    if (!*closed)
        skip_space(c);
    return true;
}

static bool scan_members(struct scan *s, char close)
{
    struct cursor *c = &s->at;
    struct level *level = &s->levels[s->depth++];
    size_t first_key = s->nkeys;
    bool closed = false;

    *level = (struct level){.object = close == '}'};
    c->p++;
    skip_space(c);
    if (c->p < c->end && *c->p == close) {
        c->p++;
        closed = true;
    }
    while (!closed) {
        if (!(level->object ? scan_member(s, level) : scan_value(s)))
            return false;
        if (!scan_separator(c, close, &closed))
            return false;
        level->index++;
    }
    if (!pop_keys(s, first_key))
        return false;
    s->depth--;
    return true;
}

static bool scan_value(struct scan *s)
{
    struct cursor *c = &s->at;
    struct key ignored;

    skip_space(c);
    if (c->p == c->end)
        return ends(c);
    switch (*c->p) {
    case '{':
    case '[':
        if (s->depth == s->max_depth)
            return bad(c, "nested too deep");
        return scan_members(s, *c->p == '{' ? '}' : ']');
    case '"':
        return scan_string(c, &ignored);
    case 't':
        return scan_word(c, "true");
    case 'f':
        return scan_word(c, "false");
    case 'n':
        return scan_word(c, "null");
    case '-':
    case '0' ... '9':
        return scan_number(c, s->open || s->depth > 0);
    default:
        return bad(c, "not a JSON value");
    }
}

/* ---- the outside ---- */

bool json_pointer_add(char *out, size_t size, struct str key)
{
    size_t n = strlen(out), from = n;

    for (size_t i = 0; i <= key.n; i++) { /* the slash before the key, then the key */
        char c = i ? key.p[i - 1] : '/';
        bool escaped = i && (c == '~' || c == '/');
        if (n + (escaped ? 2 : 1) >= size) {
            out[from] = '\0';
            return false;
        }
        if (escaped)
            out[n++] = '~';
        out[n++] = !escaped ? c : c == '~' ? '0' : '1';
    }
    out[n] = '\0';
    return true;
}

/* A scanned key without its escapes; false when it is longer than a pointer may be. */
static bool key_decode(struct str raw, char *out, struct str *text)
{
    struct cursor c = {.p = raw.p, .end = raw.p + raw.n};

    *text = (struct str){out, 0};
    while (c.p < c.end) {
        if (text->n + 4 > JSON_POINTER_SIZE)
            return false;
        text->n += utf8_encode(key_char(&c), out + text->n);
    }
    return true;
}

static void point(const struct scan *s, char *out)
{
    char text[JSON_POINTER_SIZE];
    struct str segment;

    out[0] = '\0';
    for (int i = 0; i < s->depth; i++) {
        const struct level *level = &s->levels[i];
        if (!level->object)
            segment = (struct str){text, (size_t)snprintf(text, sizeof(text), "%zu", level->index)};
        else if (!level->key.p || !key_decode(level->key, text, &segment))
            return;
        if (!json_pointer_add(out, JSON_POINTER_SIZE, segment))
            return;
    }
}

static void begin(struct scan *s, struct str text, bool open, int max_depth)
{
    BUG_ON(max_depth < 1 || max_depth > JSON_DEPTH_MAX);
    s->start = text.n ? text.p : "";
    s->at = (struct cursor){.p = s->start, .end = s->start + text.n};
    s->depth = 0;
    s->max_depth = max_depth;
    s->open = open;
    s->keys = s->few;
    s->nkeys = 0;
    s->key_cap = ARRAY_LEN(s->few);
}

static enum err finish(struct scan *s, struct json_error *error)
{
    const struct cursor *c = &s->at;

    if (c->err && error) {
        error->at = c->at ? (size_t)(c->at - s->start) : 0;
        error->why = c->why ? c->why : err_title(c->err);
        point(s, error->pointer);
    }
    if (s->keys != s->few)
        free(s->keys);
    return c->err;
}

enum err json_scan(struct str text, int max_depth, struct json_error *error)
{
    struct scan s;

    begin(&s, text, false, max_depth);
    if (scan_value(&s)) {
        skip_space(&s.at);
        if (s.at.p < s.at.end)
            (void)bad(&s.at, "bytes after the value");
    }
    return finish(&s, error);
}

enum json_cut json_scan_value(
    struct str text, bool last, int max_depth, size_t *length, struct json_error *error)
{
    struct scan s;

    begin(&s, text, !last, max_depth);
    skip_space(&s.at);
    if (s.at.p == s.at.end) {
        *length = text.n;
        return JSON_MORE;
    }
    bool ok = scan_value(&s);
    *length = ok ? (size_t)(s.at.p - s.start) : 0;
    (void)finish(&s, error);
    if (ok)
        return JSON_COMPLETE;
    return s.at.more && !last ? JSON_MORE : JSON_BAD;
}
