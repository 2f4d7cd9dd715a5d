/* Bundles: bytes and assets in order, in pieces of any size; what is gone or changed is found. */
#include "formats/bundle.h"

#include "formats_run.h"
#include "t.h"

static struct bundle *fill(const struct export_asset *asset)
{
    struct bundle *b = bundle_new();

    buf_puts(bundle_text(b), "first ");
    CHECK(bundle_asset(b, asset) == ERR_OK && bundle_asset(b, asset) == ERR_OK);
    buf_puts(bundle_text(b), "last");
    CHECK_INT(bundle_settle(b), ERR_OK);
    return b;
}

TEST(a_bundle_in_pieces)
{
    const struct export_media_source source = {.read = stored_read};
    const char *want = "first the bytes of an asset.\nthe bytes of an asset.\nlast";

    for (size_t piece = 1; piece < 70; piece++) {
        struct bundle *b = fill(&stored_asset);
        struct buf out;
        buf_init(&out, 1 << 10);
        CHECK_INT(bundle_bytes(b), (long long)strlen(want));
        CHECK_INT(bundle_assets(b), 2);
        for (size_t before = 1; before != out.n;) {
            before = out.n;
            CHECK_INT(bundle_read(b, &source, piece, &out), ERR_OK);
            CHECK(out.n - before <= piece);
        }
        CHECK_STR(buf_view(&out), str_of(want));
        buf_release(&out);
        bundle_free(b);
    }
}

/* More than memory is given for. */
TEST(a_bundle_on_disk)
{
    struct bundle *b = bundle_new();
    struct buf out;

    for (int i = 0; i < 100000; i++) {
        buf_printf(bundle_text(b), "%09d\n", i);
        CHECK_INT(bundle_settle(b), ERR_OK);
    }
    CHECK(bundle_text(b)->cap <= 1 << 20);
    CHECK_INT(bundle_bytes(b), 1000000);
    buf_init(&out, 2 << 20);
    CHECK_INT(bundle_read(b, NULL, 2 << 20, &out), ERR_OK);
    CHECK(out.n == 1000000 && memcmp(out.p + 500000, "000050000\n", 10) == 0);
    buf_release(&out);
    bundle_free(b);
}

TEST(a_bundle_of_what_is_not_there)
{
    const struct export_media_source source = {.read = stored_read};
    struct export_asset wrong[] = {stored_asset, stored_asset};
    struct buf out;

    wrong[0].sha256.b[0] ^= 1; /* the source does not know it */
    wrong[1].bytes += 1;       /* it ends before it should */
    buf_init(&out, 1 << 10);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct bundle *b = fill(&wrong[i]);
        enum err e = ERR_OK;
        for (int n = 0; !e && n < 9; n++)
            e = bundle_read(b, &source, 20, &out);
        CHECK_INT(e, ERR_CORRUPT);
        bundle_free(b);
    }
    buf_release(&out);
}
