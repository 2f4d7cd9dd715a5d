/* The terms of label documents. */
#include "core/label_terms.h"

#include "base/buf.h"
#include "t.h"

static void check(int line, const char *document, const char *want)
{
    struct arena *a = arena_new();
    struct label_terms terms;
    struct buf b;

    buf_init(&b, 4096);
    if (label_terms_read(str_of(document), a, &terms)) {
        t_fail(__FILE__, line, "%s is refused", document);
    } else {
        for (size_t i = 0; i < terms.n; i++)
            buf_printf(&b, "%s%.*s", i ? "|" : "", STR_FMT(terms.v[i]));
        CHECK_STR(buf_view(&b), str_of(want));
    }
    buf_release(&b);
    arena_free(a);
}

TEST(label_terms_are_found)
{
    check(__LINE__, "[]", "");
    check(__LINE__, "[{\"value\":{\"choices\":[\"cat\",\"ape\",\"cat\"]}}]", "ape|cat");
    check(__LINE__,
        "[{\"value\":{\"rectanglelabels\":[\"shoe\"],\"x\":1}},{\"value\":{\"labels\":[\"bag\"]}}]",
        "bag|shoe");
    check(__LINE__, "[{\"value\":{\"taxonomy\":[[\"a\",\"b\"],[\"a\",\"c\"]]}}]", "a|b|c");
    check(__LINE__, "[{\"type\":\"relation\",\"labels\":[\"is in\"]}]", "is in");
    check(__LINE__, "[{\"value\":{\"text\":[\"free\"],\"rating\":3,\"choices\":[\"\",7]}}]", "");
    check(__LINE__, "[7,{\"value\":[]},{\"value\":null}]", "");
}

TEST(label_terms_are_bounded)
{
    struct arena *a = arena_new();
    struct label_terms terms;
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_puts(&b, "[{\"value\":{\"choices\":[\"");
    for (int i = 0; i <= LABEL_TERM_BYTES; i++)
        buf_putc(&b, 'x');
    buf_putc(&b, '"');
    for (int i = 0; i < 2 * LABEL_TERMS_MAX; i++)
        buf_printf(&b, ",\"v%d\"", i);
    buf_puts(&b, "]}}]");
    REQUIRE(label_terms_read(buf_view(&b), a, &terms) == ERR_OK);
    CHECK_INT(terms.n, LABEL_TERMS_MAX);
    buf_release(&b);
    CHECK(terms.v[0].n < 10 && terms.v[0].p[0] == 'v'); /* its own copy */
    CHECK(label_terms_read(STR("{}"), a, &terms) == ERR_BAD_JSON);
    CHECK(label_terms_read(STR("[}"), a, &terms) == ERR_BAD_JSON);
    arena_free(a);
}
