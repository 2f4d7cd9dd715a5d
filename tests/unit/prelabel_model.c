/* prelabel/model: descriptors that are right, wrong in every member, and files that do not match.
 */
#include "workers/prelabel/model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"
#include "workers/prelabel/engine.h"
#include "workers/prelabel/tensor.h"

#define MODELS TEST_DATA "/../../models"

static const char good[] =
    "{\"name\":\"m\",\"version\":3,\"task\":\"classification\",\"file\":\"m.onnx\","
    "\"sha256\":\"46d275b229d4f7f8ed9397eff112f207f507b50de9cb7d4f9be44ac5dfa6a93f\","
    "\"input\":{\"name\":\"x\",\"width\":2,\"height\":3,\"channels\":3,\"layout\":\"NHWC\","
    "\"order\":\"BGR\",\"scale\":1,\"mean\":[1,2,3],\"std\":[4,5,6],\"invert\":true},"
    "\"output\":{\"name\":\"y\",\"activation\":\"softmax\"},\"labels\":[\"a\",\"b\"],"
    "\"max_batch\":7,\"licence\":\"MIT\",\"description\":\"d\"}";

TEST(model_reads_every_member)
{
    struct model m;
    char why[160];

    REQUIRE(model_parse(&m, str_of(good), why) == ERR_OK);
    CHECK(strcmp(m.name, "m") == 0 && m.version == 3 && strcmp(m.file, "m.onnx") == 0);
    CHECK(strcmp(m.input, "x") == 0 && strcmp(m.output, "y") == 0);
    CHECK(m.width == 2 && m.height == 3 && m.channels == 3);
    CHECK(m.layout == LAYOUT_NHWC && m.bgr && m.invert && m.scale == 1);
    CHECK(m.mean[2] == 3 && m.std[0] == 4 && m.activation == ACTIVATION_SOFTMAX);
    CHECK(m.nlabels == 2 && strcmp(m.labels[1], "b") == 0 && m.max_batch == 7);
    model_release(&m);
}

/* The good text with one part replaced. */
static void changed(const char *from, const char *to, struct buf *out)
{
    const char *at = strstr(good, from);

    buf_init(out, 1 << 16);
    BUG_ON(!at);
    buf_add(out, good, (size_t)(at - good));
    buf_puts(out, to);
    buf_puts(out, at + strlen(from));
}

TEST(model_refuses_wrong_members)
{
    static const struct {
        const char *from, *to, *why;
    } cases[] = {
        {"\"name\":\"m\",", "", "/name is missing"},
        {"\"name\":\"m\"", "\"name\":\"a@b\"", "/name is not valid"},
        {"\"name\":\"m\"", "\"name\":\"\"", "/name is not valid"},
        {"\"version\":3", "\"version\":0", "/version is not valid"},
        {"\"version\":3", "\"version\":\"3\"", "/version is not valid"},
        {"classification", "detection", "/task is not valid"},
        {"m.onnx", "../m.onnx", "/file is not valid"},
        {"m.onnx", ".m.onnx", "/file is not valid"},
        {"46d2", "46d", "/sha256 is not valid"},
        {"46d2", "zzzz", "/sha256 is not valid"},
        {"{\"name\":\"y\",\"activation\":\"softmax\"}", "[]", "/output is not valid"},
        {"\"width\":2", "\"width\":0", "/input/width is not valid"},
        {"\"width\":2", "\"width\":5000", "/input/width is not valid"},
        {"\"channels\":3", "\"channels\":2", "/input/channels is not valid"},
        {"\"channels\":3", "\"channels\":4", "/input/channels is not valid"},
        {"NHWC", "NWHC", "/input/layout is not valid"},
        {"\"invert\":true", "\"invrt\":true", "/input/invrt is not known"},
        {"\"invert\":true", "\"invert\":1", "/input/invert is not valid"},
        {"[1,2,3]", "[1,2,3,4]", "/input/mean is not valid"},
        {"[4,5,6]", "[4,0,6]", "/input/std is not valid"},
        {"[4,5,6]", "[]", "/input/std is not valid"},
        {"\"activation\":\"softmax\"", "\"activation\":\"relu\"",
            "/output/activation is not valid"},
        {",\"activation\":\"softmax\"", "", "/output/activation is missing"},
        {"[\"a\",\"b\"]", "[\"a\"]", "/labels is not valid"},
        {"[\"a\",\"b\"]", "[\"a\",\"a\"]", "/labels is not valid"},
        {"[\"a\",\"b\"]", "[\"a\",1]", "/labels is not valid"},
        {"\"max_batch\":7", "\"max_batch\":0", "/max_batch is not valid"},
        {"\"max_batch\":7", "\"max_batch\":7,\"max_batch\":8", "not JSON"},
        {"}", "", "not JSON"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct model m;
        struct buf text;
        char why[160] = "";
        changed(cases[i].from, cases[i].to, &text);
        enum err e = model_parse(&m, buf_view(&text), why);
        if ((e != ERR_INVALID && e != ERR_BAD_JSON) || !strstr(why, cases[i].why))
            t_fail(__FILE__, __LINE__, "%s: %s, «%s»", cases[i].to, err_slug(e), why);
        model_release(&m);
        buf_release(&text);
    }
    struct model m;
    char why[160];
    CHECK(model_parse(&m, STR("[]"), why) == ERR_INVALID);
    model_release(&m);
    CHECK(model_parse(&m, STR(""), why) == ERR_BAD_JSON);
    model_release(&m);
}

static void write_file(const char *dir, const char *name, struct str text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    BUG_ON(!f || fwrite(text.p, 1, text.n, f) != text.n);
    fclose(f);
}

TEST(model_set_leaves_out_what_is_wrong)
{
    char dir[] = "/tmp/annotate-models-XXXXXX";
    struct model_set set;

    REQUIRE(mkdtemp(dir));
    CHECK(model_set_load(&set, dir) == ERR_NOT_FOUND);
    write_file(dir, "bad.json", STR("{}"));
    CHECK(model_set_load(&set, dir) == ERR_NOT_FOUND);
    write_file(dir, "m.json", str_of(good));
    REQUIRE(model_set_load(&set, dir) == ERR_OK);
    CHECK_INT(set.n, 1);

    /* the file: absent, of another digest, absent as a regular file */
    struct buf file;
    CHECK(model_read(set.models[0], dir, &file) == ERR_NOT_FOUND);
    buf_release(&file);
    write_file(dir, "m.onnx", STR("not those weights"));
    CHECK(model_read(set.models[0], dir, &file) == ERR_CORRUPT);
    buf_release(&file);
    set.models[0]->sha256 = sha256_of(STR("not those weights"));
    CHECK(model_read(set.models[0], dir, &file) == ERR_OK);
    CHECK_STR(buf_view(&file), STR("not those weights"));
    buf_release(&file);
    model_set_release(&set);
    CHECK(model_set_load(&set, "/nonexistent") == ERR_NOT_FOUND);
}

TEST(model_shipped_is_whole)
{
    struct model_set set;
    struct buf file;

    REQUIRE(model_set_load(&set, MODELS) == ERR_OK);
    for (size_t i = 0; i < set.n; i++) {
        CHECK(model_read(set.models[i], MODELS, &file) == ERR_OK);
        buf_release(&file);
    }
    model_set_release(&set);
}

TEST(engine_fake_is_deterministic)
{
    const struct engine *fake = engine_find("fake");
    struct model m = {.width = 2, .height = 2, .channels = 1, .nlabels = 5};
    struct session *s;
    float in[3][4] = {{1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 5}}, out[3][5];
    struct guess g[3];

    REQUIRE(fake && fake->open(&(struct engine_options){0}, &m, &s) == ERR_OK);
    REQUIRE(fake->infer(s, in[0], 3, out[0]) == ERR_OK);
    for (int i = 0; i < 3; i++)
        REQUIRE(tensor_guess(&m, out[i], &g[i]) == ERR_OK);
    CHECK(g[0].label == g[1].label && g[0].score == g[1].score && g[0].score >= 0.5F);
    CHECK(g[2].label != g[0].label || g[2].score != g[0].score);
    fake->close(s);
    CHECK(!engine_find("magic"));
}
