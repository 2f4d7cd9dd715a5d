/* prelabel/ort with the real library and the shipped model: from PNG files of Fashion-MNIST's test
 * images to labels, through the sandbox. Needs ANNOTATE_ORT_LIB (the library's path); the data come
 * with Debian's dataset-fashion-mnist. */
#include <png.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/clock.h"
#include "t.h"
#include "workers/prelabel/batch.h"
#include "workers/prelabel/sandbox.h"
#include "workers/prelabel/tensor.h"

#define MODELS TEST_DATA "/../../models"
#define DATA   "/usr/share/datasets/fashion-mnist/"

enum { IMAGES = 10000, SIDE = 28, AREA = SIDE * SIDE, CLASSES = 10, BATCH = 250 };

static unsigned char images[IMAGES][AREA], truth[IMAGES];

static const char *library(void)
{
    const char *lib = getenv("ANNOTATE_ORT_LIB");

    if (!lib || !*lib)
        t_skip("ANNOTATE_ORT_LIB is not set");
    return lib;
}

static struct engine_options options(void)
{
    return (struct engine_options){library(), "cpu", MODELS};
}

/* The bytes of an IDX file after its header. */
static bool read_idx(const char *path, unsigned header, void *out, unsigned n)
{
    unsigned char skip[16];
    gzFile f = gzopen(path, "r");
    bool ok = f && gzread(f, skip, header) == (int)header && gzread(f, out, n) == (int)n;

    if (f)
        gzclose(f);
    return ok;
}

static struct model_set shipped(void)
{
    struct model_set set;

    if (model_set_load(&set, MODELS) != ERR_OK) {
        t_fail(__FILE__, __LINE__, "no models in %s", MODELS);
        exit(1);
    }
    return set;
}

static size_t encode(const unsigned char *pixels, char *out, size_t size)
{
    png_image png = {
        .version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_GRAY};

    return png_image_write_to_memory(&png, out, &size, 0, pixels, SIDE, NULL) ? size : 0;
}

/* Labels `n` images from `first` on; how many were right. */
static int label(struct sandbox *sandbox, struct batcher *b, int first, int n)
{
    static float in[BATCH * AREA], out[BATCH * CLASSES];
    const struct model *m = b->session->model;
    struct decode_spec spec = tensor_spec(m);
    unsigned char pixels[AREA];
    enum err fate[BATCH];
    char file[4096];
    int right = 0;

    for (int i = 0; i < n; i++) {
        size_t size = encode(images[first + i], file, sizeof(file));
        CHECK(sandbox_decode(sandbox, &spec, (struct str){file, size}, pixels) == ERR_OK);
        CHECK(memcmp(pixels, images[first + i], AREA) == 0);
        tensor_fill(m, pixels, in + i * AREA);
    }
    CHECK(batch_run(b, in, (size_t)n, out, fate) == ERR_OK);
    for (int i = 0; i < n; i++) {
        struct guess g;
        CHECK(fate[i] == ERR_OK && tensor_guess(m, out + i * CLASSES, &g) == ERR_OK);
        right += g.label == truth[first + i];
    }
    return right;
}

TEST(onnx_fashion_accuracy)
{
    struct engine_options o = options();
    struct sandbox *sandbox;
    struct session *s;
    struct batcher b;
    int right = 0;

    if (!read_idx(DATA "t10k-images-idx3-ubyte.gz", 16, images, sizeof(images)) ||
        !read_idx(DATA "t10k-labels-idx1-ubyte.gz", 8, truth, sizeof(truth)))
        t_skip("dataset-fashion-mnist is not installed");
    struct model_set set = shipped();
    REQUIRE(sandbox_start(&sandbox, NULL) == ERR_OK);
    REQUIRE(engine_onnx.open(&o, set.models[0], &s) == ERR_OK);
    CHECK(strcmp(s->provider, "cpu") == 0);
    batcher_init(&b, s, (size_t)set.models[0]->max_batch);
    int64_t start = clock_mono_us();
    for (int i = 0; i < IMAGES; i += BATCH)
        right += label(sandbox, &b, i, BATCH);
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    printf("    %d of %d right; %.0f images/s (encode, decode, infer)\n", right, IMAGES,
        IMAGES / seconds);
    CHECK(right >= 7570 && right <= 7590); /* trained to .758; arithmetic may differ by a few */
    engine_onnx.close(s);
    sandbox_stop(sandbox);
    model_set_release(&set);
}

TEST(onnx_same_answer_alone_and_in_a_batch)
{
    static float in[5 * AREA], together[5 * CLASSES], alone[CLASSES];
    struct engine_options o = options();
    struct model_set set = shipped();
    uint64_t state = t_seed();
    struct session *s;

    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        in[i] = (float)(t_random(&state) % 256) / 255;
    REQUIRE(engine_onnx.open(&o, set.models[0], &s) == ERR_OK);
    REQUIRE(engine_onnx.infer(s, in, 5, together) == ERR_OK);
    for (size_t i = 0; i < 5; i++) {
        REQUIRE(engine_onnx.infer(s, in + i * AREA, 1, alone) == ERR_OK);
        for (size_t k = 0; k < CLASSES; k++) {
            float d = alone[k] - together[i * CLASSES + k];
            CHECK(d < 1e-4F && d > -1e-4F);
        }
    }
    engine_onnx.close(s);
    model_set_release(&set);
}

TEST(onnx_refuses_what_does_not_fit)
{
    struct engine_options o = options();
    struct model_set set = shipped();
    struct model *m = set.models[0], right = *m;
    struct session *s = NULL;

    m->sha256.b[0] ^= 1; /* other weights */
    CHECK(engine_onnx.open(&o, m, &s) == ERR_CORRUPT);
    *m = right;
    m->width = 27; /* another input than the descriptor says */
    CHECK(engine_onnx.open(&o, m, &s) == ERR_INVALID);
    *m = right;
    m->nlabels = 9;
    CHECK(engine_onnx.open(&o, m, &s) == ERR_INVALID);
    *m = right;
    m->input[0] = 'X';
    CHECK(engine_onnx.open(&o, m, &s) == ERR_INVALID);
    *m = right;
    m->output[0] = 'X';
    CHECK(engine_onnx.open(&o, m, &s) == ERR_INVALID);
    *m = right;
    o.device = "cuda"; /* a library without CUDA: refuse, do not fall back */
    if (engine_onnx.open(&o, m, &s) == ERR_OK) {
        CHECK(strcmp(s->provider, "cuda") == 0);
        engine_onnx.close(s);
    }
    o.device = "auto";
    REQUIRE(engine_onnx.open(&o, m, &s) == ERR_OK);
    engine_onnx.close(s);
    model_set_release(&set);
}

TEST(onnx_no_library)
{
    struct model_set set = shipped();
    struct engine_options o = {"/nonexistent/libonnxruntime.so", "cpu", MODELS};
    struct session *s;

    CHECK(engine_onnx.open(&o, set.models[0], &s) == ERR_NOT_FOUND);
    o.ort_lib = "libz.so.1"; /* a library, but another */
    CHECK(engine_onnx.open(&o, set.models[0], &s) == ERR_INVALID);
    model_set_release(&set);
}
