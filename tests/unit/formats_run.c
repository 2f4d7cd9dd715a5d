#include "formats_run.h"

#include <stdlib.h>

#include "t.h"

static enum err keep(void *arg, struct str bytes)
{
    buf_str(arg, bytes);
    return buf_err(arg);
}

struct export_item item_of(const char *data, const char *result)
{
    return (struct export_item){
        .project = 5,
        .task = 7,
        .data = str_of(data),
        .created_at = STR("2026-01-01T00:00:00Z"),
        .updated_at = STR("2026-01-02T00:00:00Z"),
        .split = STR("train"),
        .label = {.id = 11,
            .seq = 1,
            .author = 3,
            .kind = STR("submission"),
            .lead_time = 1.5,
            .created_at = STR("2026-01-03T00:00:00Z"),
            .result = str_of(result)},
    };
}

enum err export_run_with(struct export_options o, const char *xml, const struct export_item *item,
    struct buf *out, struct buf *report)
{
    char why[LABEL_CONFIG_WHY] = "";
    struct label_config *config = NULL;
    struct exporter x;
    bool idle = false;

    if (label_config_parse(str_of(xml), &config, why))
        t_fail(__FILE__, __LINE__, "%s", why);
    o.config = config;
    enum err e = exporter_begin(&x, &o, (struct export_sink){keep, out});
    e = e ? e : exporter_item(&x, item);
    while (!e && !idle)
        e = exporter_pump(&x, &idle);
    idle = false;
    e = e ? e : exporter_end(&x);
    while (!e && !idle)
        e = exporter_pump(&x, &idle);
    if (report && !e)
        export_report_print(&x, report);
    exporter_release(&x);
    label_config_free(config);
    return e;
}

enum err export_run(const char *format, enum container_kind kind, const char *xml,
    const struct export_item *item, struct buf *out, struct buf *report)
{
    const struct export_options o = {.format = format_find(str_of(format)),
        .container = kind,
        .name = STR("r"),
        .root = STR("00")};

    return export_run_with(o, xml, item, out, report);
}

static const char stored[] = "the bytes of an asset.\n";

const struct export_asset stored_asset = {.field = {"image", 5},
    .media_type = {"image/png", 9},
    .bytes = sizeof(stored) - 1,
    .width = 200,
    .height = 100,
    .sha256 = {.b = {0x83, 0x6c, 0xed, 0xbc, 0x51, 0x45, 0xdf, 0x0e, 0xa1, 0x19, 0xa5, 0xa2, 0x02,
                   0x61, 0x45, 0x0a, 0x6d, 0xba, 0xa3, 0xf1, 0x51, 0xe2, 0x5f, 0x3f, 0x13, 0x1a,
                   0x74, 0x49, 0x92, 0xcf, 0x56, 0xa3}}};

enum err stored_read(
    void *arg, const struct export_asset *asset, int64_t off, size_t n, struct buf *out)
{
    (void)arg;
    if (!sha256_eq(asset->sha256, stored_asset.sha256))
        return ERR_NOT_FOUND;
    for (size_t i = (size_t)off; i < sizeof(stored) - 1 && n > 0; i++, n--)
        buf_putc(out, stored[i]);
    return buf_err(out);
}

struct str file_in(struct str tar, const char *path)
{
    for (size_t at = 0; at + 512 <= tar.n && tar.p[at];) {
        char digits[13] = "";
        memcpy(digits, tar.p + at + 124, 12);
        size_t n = (size_t)strtoull(digits, NULL, 8);
        if (strcmp(tar.p + at, path) == 0)
            return (struct str){tar.p + at + 512, n};
        at += 512 + (n + 511) / 512 * 512;
    }
    return STR("");
}

void check_lost(struct str report, const char *lost)
{
    char text[512];

    snprintf(text, sizeof(text), "\"lost\":%s,", lost);
    if (!memmem(report.p, report.n, text, strlen(text)))
        t_fail(__FILE__, __LINE__, "%s not in %.*s", text, STR_FMT(report));
}

struct counter {
    size_t largest;
};

static enum err count(void *arg, struct str bytes)
{
    struct counter *c = arg;

    c->largest = bytes.n > c->largest ? bytes.n : c->largest;
    return ERR_OK;
}

void check_gathers_not(const char *format, const char *xml, struct export_item item)
{
    char why[LABEL_CONFIG_WHY];
    struct label_config *config = NULL;
    struct counter c = {0};
    struct exporter x;
    bool idle = true;

    REQUIRE(label_config_parse(str_of(xml), &config, why) == ERR_OK);
    struct export_options o = {
        .format = format_find(str_of(format)), .container = CONTAINER_TAR, .config = config};
    if (item.nassets)
        o.media.read = stored_read;
    if (exporter_begin(&x, &o, (struct export_sink){count, &c}))
        t_fail(__FILE__, __LINE__, "%s: %s", format, x.why);
    size_t before = arena_used(export_arena(&x));
    for (int n = 0; !x.err && n < 2000; n++, item.task++) {
        if (exporter_item(&x, &item))
            t_fail(__FILE__, __LINE__, "%s: item %d: %d", format, n, x.err);
        for (idle = false; !idle && !exporter_pump(&x, &idle);)
            ;
    }
    CHECK(arena_used(export_arena(&x)) < before + 4096 && x.text.tail.cap <= 1 << 20);
    REQUIRE(x.err == ERR_OK);
    CHECK_INT(exporter_end(&x), ERR_OK);
    for (idle = false; !idle && !exporter_pump(&x, &idle);)
        ;
    CHECK(x.bytes > 100000 && x.out.cap <= 4 << 20 && c.largest <= 2 << 20);
    exporter_release(&x);
    label_config_free(config);
}
