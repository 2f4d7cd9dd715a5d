/* Owns ONNX Runtime: the library, sessions, and what its errors mean. Never loads a model file that
 * does not match its descriptor's digest. */
#include "workers/prelabel/ort_min.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "workers/prelabel/engine.h"

enum { RANK = 4 };

struct ort_session_of {
    struct session head;
    struct ort_session *ort;
    struct ort_memory_info *cpu;
};

/* Loaded once a process and never unloaded: its threads and static destructors live in it. */
static const struct ort_api *api;
static struct ort_env *env;

/* What an error means. Out of memory has no code of its own: it is known by its text. */
static enum err class_of(int code, const char *text)
{
    static const char *const out_of_memory[] = {"Failed to allocate memory", "bad allocation",
        "std::bad_alloc", "out of memory", "cudaErrorMemoryAllocation", "CUDA failure 2",
        "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "CUDNN_STATUS_INTERNAL_ERROR"};

    for (size_t i = 0; i < ARRAY_LEN(out_of_memory); i++)
        if (strcasestr(text, out_of_memory[i]))
            return ERR_NO_MEMORY;
    return code == ORT_DEVICE_RESET ? ERR_UNAVAILABLE : ERR_INVALID;
}

static enum err check(struct ort_status *status, const char *what)
{
    if (!status)
        return ERR_OK;
    const char *text = api->get_error_message(status);
    enum err e = class_of(api->get_error_code(status), text);
    log_warn("onnx", "%s: code %d: %.300s", what, api->get_error_code(status), text);
    api->release_status(status);
    return e;
}

static enum err load(const char *path)
{
    if (api && env)
        return ERR_OK;
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!lib) {
        log_error("onnx", "cannot load the library: %s", dlerror());
        return ERR_NOT_FOUND;
    }
    const struct ort_api_base *(*get_base)(void);
    *(void **)&get_base = dlsym(lib, "OrtGetApiBase");
    const struct ort_api_base *base = get_base ? get_base() : NULL;
    api = base ? base->get_api(ORT_API) : NULL;
    if (!api) {
        log_error("onnx", "%s is no ONNX Runtime of 1.16 or later", path);
        return ERR_INVALID;
    }
    log_info("onnx", "library %s, version %s", path, base->get_version());
    return check(api->create_env(ORT_LOG_ERROR, "annotate", &env), "CreateEnv");
}

/* Opening a session */

static enum err append_cuda(struct ort_session_options *options)
{
    /* Convolutions would be tuned anew for each batch size by the default, EXHAUSTIVE. */
    static const char *const keys[] = {"device_id", "cudnn_conv_algo_search"};
    static const char *const values[] = {"0", "HEURISTIC"};
    struct ort_cuda_options *cuda = NULL;

    enum err e = check(api->create_cuda_options(&cuda), "CreateCUDAProviderOptions");
    if (!e)
        e = check(api->update_cuda_options(cuda, keys, values, ARRAY_LEN(keys)),
            "UpdateCUDAProviderOptions");
    if (!e)
        e = check(api->append_cuda(options, cuda), "AppendExecutionProvider_CUDA");
    if (cuda)
        api->release_cuda_options(cuda);
    return e;
}

/* The execution provider as asked for by `device`: *provider is the one that will compute. */
static enum err choose_provider(
    struct ort_session_options *options, const char *device, const char **provider)
{
    *provider = "cpu";
    if (strcmp(device, "cpu") == 0)
        return ERR_OK;
    enum err e = append_cuda(options);
    if (!e)
        *provider = "cuda";
    else if (strcmp(device, "cuda") == 0)
        log_error("onnx", "device=cuda, but there is no CUDA here");
    else
        e = ERR_OK; /* auto: said in the log, and in what is logged of the session */
    return e;
}

static enum err make_options(
    struct ort_session_options **out, const char *device, const char **provider)
{
    enum err e = check(api->create_session_options(out), "CreateSessionOptions");
    if (!e)
        e = check(api->set_graph_optimization(*out, ORT_OPTIMIZE_ALL), "graph optimization");
    if (!e) /* an idle worker must not burn a core */
        e = check(
            api->add_session_config(*out, "session.intra_op.allow_spinning", "0"), "spinning");
    if (!e)
        e = choose_provider(*out, device, provider);
    return e;
}

/* What a tensor must look like: `shape` with -1 where the model may say anything. */
static enum err check_tensor(
    const struct ort_tensor_info *info, const int64_t *shape, size_t rank, const char *what)
{
    int64_t dims[RANK] = {0};
    size_t n = 0;
    int type = 0;

    enum err e = check(api->get_element_type(info, &type), what);
    if (!e)
        e = check(api->get_rank(info, &n), what);
    if (!e && (type != ORT_FLOAT || n != rank)) {
        log_error(
            "onnx", "%s: element type %d, rank %zu; want float32, rank %zu", what, type, n, rank);
        return ERR_INVALID;
    }
    if (!e)
        e = check(api->get_shape(info, dims, n), what);
    for (size_t i = 0; !e && i < n; i++)
        if (shape[i] >= 0 && dims[i] >= 0 && dims[i] != shape[i]) {
            log_error("onnx", "%s: dimension %zu is %lld; the descriptor says %lld", what, i,
                (long long)dims[i], (long long)shape[i]);
            e = ERR_INVALID;
        }
    return e;
}

static void input_shape(const struct model *m, int64_t n, int64_t shape[RANK])
{
    bool chw = m->layout == LAYOUT_NCHW;

    shape[0] = n;
    shape[1] = chw ? m->channels : m->height;
    shape[2] = chw ? m->height : m->width;
    shape[3] = chw ? m->width : m->channels;
}

/* One side of a session, input or output. */
struct port {
    const char *what;
    struct ort_status *(*count)(const struct ort_session *, size_t *);
    struct ort_status *(*name)(const struct ort_session *, size_t, struct ort_allocator *, char **);
    struct ort_status *(*type)(const struct ort_session *, size_t, struct ort_type_info **);
};

static bool is_named(
    const struct ort_session *s, const struct port *p, size_t index, const char *want)
{
    struct ort_allocator *allocator;
    char *name = NULL;

    if (check(api->get_allocator(&allocator), p->what) ||
        check(p->name(s, index, allocator, &name), p->what))
        return false;
    bool same = strcmp(name, want) == 0;
    allocator->free(allocator, name);
    return same;
}

static enum err check_port(const struct ort_session *s, const struct port *p, const char *name,
    const int64_t *shape, size_t rank)
{
    const struct ort_tensor_info *info = NULL;
    struct ort_type_info *type = NULL;
    size_t n = 0, i = 0;

    enum err e = check(p->count(s, &n), p->what);
    if (e)
        return e;
    while (i < n && !is_named(s, p, i, name))
        i++;
    if (i == n) {
        log_error("onnx", "the model has no %s named %s", p->what, name);
        return ERR_INVALID;
    }
    e = check(p->type(s, i, &type), p->what);
    if (!e)
        e = check(api->cast_to_tensor_info(type, &info), p->what);
    if (!e)
        e = info ? check_tensor(info, shape, rank, p->what) : ERR_INVALID;
    if (type)
        api->release_type_info(type);
    return e;
}

static enum err check_model(const struct ort_session_of *s)
{
    const struct model *m = s->head.model;
    struct port in = {
        "input", api->session_input_count, api->session_input_name, api->session_input_type};
    struct port out = {
        "output", api->session_output_count, api->session_output_name, api->session_output_type};
    int64_t shape[RANK], probs[] = {-1, m->nlabels};
    size_t inputs = 0;

    input_shape(m, -1, shape);
    enum err e = check(api->session_input_count(s->ort, &inputs), "input");
    if (!e && inputs != 1) {
        log_error("onnx", "the model has %zu inputs; want 1", inputs);
        e = ERR_INVALID;
    }
    if (!e)
        e = check_port(s->ort, &in, m->input, shape, RANK);
    if (!e)
        e = check_port(s->ort, &out, m->output, probs, ARRAY_LEN(probs));
    return e;
}

static void onnx_close(struct session *head)
{
    struct ort_session_of *s = container_of(head, struct ort_session_of, head);

    if (s->cpu)
        api->release_memory_info(s->cpu);
    if (s->ort)
        api->release_session(s->ort);
    free(s);
}

static enum err create(
    struct ort_session_of *s, const struct engine_options *o, const struct buf *file)
{
    struct ort_session_options *options = NULL;

    enum err e = make_options(&options, o->device, &s->head.provider);
    if (!e)
        e = check(api->create_session_from_array(env, file->p, file->n, options, &s->ort),
            "CreateSession");
    if (!e)
        e = check(api->create_cpu_memory_info(ORT_ARENA_ALLOCATOR, ORT_MEM_DEFAULT, &s->cpu),
            "CreateCpuMemoryInfo");
    if (!e)
        e = check_model(s);
    if (options)
        api->release_session_options(options);
    return e;
}

static enum err onnx_open(
    const struct engine_options *o, const struct model *m, struct session **out)
{
    struct buf file;

    enum err e = load(o->ort_lib);
    if (e)
        return e;
    e = model_read(m, o->models, &file);
    if (e)
        log_error("onnx", "model file %s/%s: %s", o->models, m->file, err_slug(e));
    struct ort_session_of *s = e ? NULL : calloc(1, sizeof(*s));
    if (!e && !s)
        e = ERR_NO_MEMORY;
    if (!e) {
        s->head = (struct session){&engine_onnx, m, NULL};
        e = create(s, o, &file);
        if (e)
            onnx_close(&s->head);
        else
            *out = &s->head;
    }
    buf_release(&file);
    return e;
}

/* Inference */

/* Copies the answer out, if it is what the descriptor promised. */
static enum err take_output(struct ort_value *value, const struct model *m, size_t n, float *out)
{
    struct ort_tensor_info *info = NULL;
    int64_t shape[] = {(int64_t)n, m->nlabels};
    void *data = NULL;

    enum err e = check(api->get_tensor_info(value, &info), "output");
    if (!e)
        e = check_tensor(info, shape, ARRAY_LEN(shape), "output");
    if (!e)
        e = check(api->get_tensor_data(value, &data), "output");
    if (!e)
        memcpy(out, data, n * model_out(m) * sizeof(*out));
    if (info)
        api->release_tensor_info(info);
    return e;
}

static enum err onnx_infer(struct session *head, const float *in, size_t n, float *out)
{
    struct ort_session_of *s = container_of(head, struct ort_session_of, head);
    const struct model *m = head->model;
    const char *inputs[] = {m->input}, *outputs[] = {m->output};
    struct ort_value *value = NULL, *answer = NULL;
    int64_t shape[RANK];
    union { /* the API takes inputs as writable; it does not write them */
        const float *given;
        void *taken;
    } data = {in};

    input_shape(m, (int64_t)n, shape);
    enum err e = check(api->create_tensor_with_data(s->cpu, data.taken,
                           n * model_in(m) * sizeof(*in), shape, RANK, ORT_FLOAT, &value),
        "input");
    if (!e) {
        const struct ort_value *const values[] = {value};
        e = check(api->run(s->ort, NULL, inputs, values, 1, outputs, 1, &answer), "Run");
    }
    if (!e)
        e = take_output(answer, m, n, out);
    if (answer)
        api->release_value(answer);
    if (value)
        api->release_value(value);
    return e;
}

const struct engine engine_onnx = {"onnx", "", onnx_open, onnx_infer, onnx_close};
