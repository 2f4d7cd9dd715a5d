/* prelabel/batch and tensor: splitting, bisecting and arithmetic, against a scripted engine. */
#include "workers/prelabel/batch.h"

#include <math.h>

#include "t.h"
#include "workers/prelabel/tensor.h"

/* Fails by script: an item whose number is poison, batches beyond what fits, or always. */
static struct {
    float poison[4];
    int npoison;
    size_t fits;
    bool broken, gone;
    size_t largest; /* run that passed */
} script;

static enum err scripted_infer(struct session *s, const float *in, size_t n, float *out)
{
    (void)s;
    if (script.gone)
        return ERR_UNAVAILABLE;
    if (n > script.fits)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < script.npoison; k++)
            if (in[i] == script.poison[k])
                return ERR_INVALID;
    if (script.broken)
        return ERR_INVALID;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = in[i];
        out[2 * i + 1] = 0;
    }
    script.largest = n > script.largest ? n : script.largest;
    return ERR_OK;
}

static const struct engine scripted = {"scripted", "", NULL, scripted_infer, NULL};
static const struct model tiny = {.width = 1, .height = 1, .channels = 1, .nlabels = 2};
static struct session session = {&scripted, &tiny, "test"};

enum { N = 100 };

/* Runs items 0..n-1 and checks that each passing one got its own answer. */
static enum err run(struct batcher *b, size_t n, enum err *fate)
{
    float in[N] = {0}, out[2 * N] = {0};

    for (size_t i = 0; i < n; i++)
        in[i] = (float)i;
    enum err e = batch_run(b, in, n, out, fate);
    for (size_t i = 0; !e && i < n; i++)
        if (fate[i] == ERR_OK && out[2 * i] != (float)i)
            t_fail(__FILE__, __LINE__, "item %zu got the answer %f", i, (double)out[2 * i]);
    return e;
}

TEST(batch_passes)
{
    struct batcher b;
    enum err fate[N];

    script.fits = N;
    batcher_init(&b, &session, 32);
    REQUIRE(run(&b, N, fate) == ERR_OK);
    for (int i = 0; i < N; i++)
        CHECK(fate[i] == ERR_OK);
    CHECK_INT(b.runs, 4); /* 32 + 32 + 32 + 4 */
    CHECK_INT(script.largest, 32);
}

TEST(batch_bisects_to_the_poison)
{
    struct batcher b;
    enum err fate[N];

    script.fits = N;
    script.npoison = 3;
    script.poison[0] = 0;
    script.poison[1] = 41;
    script.poison[2] = 99;
    batcher_init(&b, &session, N);
    REQUIRE(run(&b, N, fate) == ERR_OK);
    for (int i = 0; i < N; i++)
        CHECK_INT(fate[i], i == 0 || i == 41 || i == 99 ? ERR_INVALID : ERR_OK);
    CHECK_INT(b.poison, 3);
    CHECK(b.runs <= 1 + 3 * 2 * 7); /* log2(100) levels, two runs each */
    CHECK_INT(b.oom_splits, 0);
    CHECK_INT(b.max_now, N); /* poison is no reason for smaller batches */
}

TEST(batch_halves_when_memory_runs_out)
{
    struct batcher b;
    enum err fate[N];

    script.fits = 10;
    batcher_init(&b, &session, 64);
    REQUIRE(run(&b, N, fate) == ERR_OK);
    for (int i = 0; i < N; i++)
        CHECK(fate[i] == ERR_OK);
    CHECK_INT(b.max_now, 8); /* 64, 32, 16, 8 */
    CHECK(script.largest <= 10);
    int64_t splits = b.oom_splits;
    CHECK(splits >= 3);

    script.fits = 1000; /* there is room again: grow by one in 50 clean runs */
    for (int i = 0; i < 8; i++)
        REQUIRE(run(&b, N, fate) == ERR_OK);
    CHECK(b.max_now > 8 && b.max_now <= 12);
    CHECK_INT(b.oom_splits, splits);
}

TEST(batch_item_too_big_alone)
{
    struct batcher b;
    enum err fate[N];

    script.fits = 0;
    batcher_init(&b, &session, 4);
    REQUIRE(run(&b, 4, fate) == ERR_OK);
    for (int i = 0; i < 4; i++)
        CHECK_INT(fate[i], ERR_NO_MEMORY);
    CHECK_INT(b.max_now, 1); /* never 0: that would loop for ever */
    REQUIRE(run(&b, 1, fate) == ERR_OK);
    CHECK_INT(fate[0], ERR_NO_MEMORY);
}

TEST(batch_model_at_fault)
{
    struct batcher b;
    enum err fate[N];

    script.fits = N;
    script.broken = true;
    batcher_init(&b, &session, 8);
    CHECK(run(&b, 8, fate) == ERR_CORRUPT);
    CHECK(run(&b, 1, fate) == ERR_CORRUPT); /* nothing ever passed: not the item's fault */
    script.broken = false;
    REQUIRE(run(&b, 8, fate) == ERR_OK);
    script.broken = true;
    REQUIRE(run(&b, 1, fate) == ERR_OK); /* one bad item of a model that works */
    CHECK_INT(fate[0], ERR_INVALID);
    CHECK(run(&b, 8, fate) == ERR_CORRUPT);
    script.gone = true;
    CHECK(run(&b, 8, fate) == ERR_UNAVAILABLE);
}

/* Arithmetic */

TEST(tensor_layouts)
{
    struct model m = {.width = 2, .height = 1, .channels = 3, .scale = 1, .std = {1, 1, 1}};
    const unsigned char rgb[] = {1, 2, 3, 11, 12, 13};
    float out[6];

    tensor_fill(&m, rgb, out);
    CHECK(out[0] == 1 && out[1] == 11 && out[2] == 2 && out[3] == 12 && out[4] == 3);
    m.bgr = true;
    tensor_fill(&m, rgb, out);
    CHECK(out[0] == 3 && out[1] == 13 && out[4] == 1);
    m.layout = LAYOUT_NHWC;
    tensor_fill(&m, rgb, out);
    CHECK(out[0] == 3 && out[1] == 2 && out[2] == 1 && out[3] == 13);
    m.bgr = false;
    m.invert = true;
    m.scale = 0.5F;
    m.mean[1] = 1;
    m.std[1] = 4;
    tensor_fill(&m, rgb, out);
    CHECK(out[0] == 127.0F);                         /* (255 - 1) / 2 */
    CHECK(fabsf(out[1] - (126.5F - 1) / 4) < 1e-5F); /* ((255 - 2) / 2 - 1) / 4 */
}

TEST(tensor_guesses)
{
    struct model m = {.nlabels = 3};
    struct guess g;
    float probs[] = {0.2F, 0.7F, 0.1F};
    float equal[] = {0.5F, 0.5F, 0};
    float logits[] = {1000, 999, -1000}; /* overflows a softmax without the subtraction */
    float sig[] = {0, -2, 3};

    REQUIRE(tensor_guess(&m, probs, &g) == ERR_OK);
    CHECK(g.label == 1 && g.score == 0.7F);
    REQUIRE(tensor_guess(&m, equal, &g) == ERR_OK);
    CHECK_INT(g.label, 0);
    m.activation = ACTIVATION_SOFTMAX;
    REQUIRE(tensor_guess(&m, logits, &g) == ERR_OK);
    CHECK(g.label == 0 && fabsf(g.score - 0.731059F) < 1e-5F);
    m.activation = ACTIVATION_SIGMOID;
    REQUIRE(tensor_guess(&m, sig, &g) == ERR_OK);
    CHECK(g.label == 2 && fabsf(g.score - 0.952574F) < 1e-5F);
}

TEST(tensor_refuses_what_is_no_probability)
{
    struct model m = {.nlabels = 2};
    const float bad[] = {NAN, INFINITY, -INFINITY, -0.5F, 1.5F};
    struct guess g;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        float first[] = {bad[i], 0.5F}, last[] = {0.5F, bad[i]};
        CHECK(tensor_guess(&m, first, &g) == ERR_CORRUPT);
        CHECK(tensor_guess(&m, last, &g) == ERR_CORRUPT);
    }
    m.activation = ACTIVATION_SOFTMAX;
    float nan[] = {NAN, 1};
    CHECK(tensor_guess(&m, nan, &g) == ERR_CORRUPT);
}
