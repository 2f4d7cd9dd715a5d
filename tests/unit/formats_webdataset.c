/* WebDataset's shards: their bytes, where one ends and the next begins, what an export that is
 * broken off leaves. */
#include "formats_run.h"
#include "t.h"

#define CONFIG                                                                                     \
    "<View><Image name=\"image\" value=\"$image\"/><Choices name=\"c\" toName=\"image\">"          \
    "<Choice value=\"x\"/></Choices></View>"

static const char data[] = "{\"image\":\"/v1/assets/" STORED_SUM "\"}";

static struct export_item stored_item(void)
{
    struct export_item item = item_of(data, "[]");

    item.assets = &stored_asset;
    item.nassets = 1;
    return item;
}

TEST(a_shard)
{
    struct export_item item = stored_item();
    struct export_options o = {.format = format_find(STR("webdataset")),
        .container = CONTAINER_TAR,
        .media = {.read = stored_read}};
    struct buf out, json;
    struct str shard;

    buf_init(&out, 1 << 20);
    buf_init(&json, 1 << 16);
    REQUIRE(export_run_with(o, CONFIG, &item, &out, NULL) == ERR_OK);
    shard = file_in(buf_view(&out), "train-000000.tar");
    CHECK_STR(file_in(shard, "0000000007.png"), STR("the bytes of an asset.\n"));
    export_item_json(&item, &json);
    CHECK_STR(file_in(shard, "0000000007.json"), buf_view(&json));
    CHECK_INT((long long)shard.n, 512 + 512 + 512 + (long long)((json.n + 511) / 512 * 512) + 1024);
    buf_clear(&json);
    buf_printf(&json,
        "{\"__kind__\":\"wids-shard-index-v1\",\"wids_version\":1,\"shardlist\":[\n"
        "{\"url\":\"train-000000.tar\",\"nsamples\":1,\"filesize\":%zu}\n]}\n",
        shard.n);
    CHECK_STR(file_in(buf_view(&out), "train.json"), buf_view(&json));
    buf_release(&out);
    buf_release(&json);
}

struct run {
    struct label_config *config;
    struct exporter x;
    int64_t bytes;
};

static enum err count(void *arg, struct str bytes)
{
    struct run *r = arg;

    r->bytes += (int64_t)bytes.n;
    return ERR_OK;
}

static void start(struct run *r, struct export_media_source media)
{
    char why[LABEL_CONFIG_WHY];

    *r = (struct run){0};
    if (label_config_parse(STR(CONFIG), &r->config, why))
        t_fail(__FILE__, __LINE__, "%s", why);
    struct export_options o = {.format = format_find(STR("webdataset")),
        .container = CONTAINER_TAR,
        .config = r->config,
        .media = media};
    CHECK_INT(exporter_begin(&r->x, &o, (struct export_sink){count, r}), ERR_OK);
}

static void stop(struct run *r)
{
    exporter_release(&r->x);
    label_config_free(r->config);
}

static void pump(struct run *r)
{
    bool idle = false;

    while (!idle && !exporter_pump(&r->x, &idle))
        ;
    CHECK_INT(r->x.err, ERR_OK);
}

/* Nothing of a shard is written before its last sample; then all of it. */
TEST(a_shard_has_so_many_samples)
{
    struct export_item item = item_of("{}", "[]");
    struct run r;

    start(&r, (struct export_media_source){0});
    for (int n = 0; n < 10000; n++, item.task++) {
        CHECK_INT(exporter_item(&r.x, &item), ERR_OK);
        CHECK(r.x.first == NULL);
    }
    CHECK_INT(r.bytes, 0);
    CHECK_INT(exporter_item(&r.x, &item), ERR_OK);
    CHECK(r.x.first != NULL);
    pump(&r);
    CHECK(r.bytes > 10000 * 1024);
    CHECK_INT(exporter_end(&r.x), ERR_OK);
    pump(&r);
    CHECK_INT(r.x.files, 4); /* two shards, their index, EXPORT.json */
    stop(&r);
}

static enum err read_any(
    void *arg, const struct export_asset *asset, int64_t off, size_t n, struct buf *out)
{
    (void)arg, (void)asset, (void)off, (void)n;
    buf_putc(out, 'x');
    return buf_err(out);
}

/* Neither is pumped: a broken export leaves nothing behind. */
TEST(a_shard_has_so_many_bytes)
{
    struct export_item item = stored_item();
    struct export_asset large = stored_asset;
    struct run r;

    large.bytes = INT64_C(300) << 20;
    item.assets = &large;
    start(&r, (struct export_media_source){.read = read_any});
    CHECK_INT(exporter_item(&r.x, &item), ERR_OK);
    CHECK(r.x.first == NULL);
    CHECK_INT(exporter_item(&r.x, &item), ERR_OK);
    CHECK(r.x.first != NULL);
    large.bytes = INT64_C(9) << 30; /* larger than a shard, and than octal digits can say */
    CHECK_INT(exporter_item(&r.x, &item), ERR_OK);
    CHECK_INT(exporter_item(&r.x, &item), ERR_OK);
    stop(&r);
}

TEST(no_shard_gathers)
{
    check_gathers_not("webdataset", CONFIG, stored_item());
}
