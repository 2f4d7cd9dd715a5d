/* The part of ONNX Runtime's C API that we use, by slot: its function table only ever grows at the
 * end, so these places hold for every release since 1.16. No header of theirs is needed to build,
 * and the library is loaded when the worker starts. Types that we only pass on are incomplete. */
#ifndef PRELABEL_ORT_MIN_H
#define PRELABEL_ORT_MIN_H

#include <stddef.h>
#include <stdint.h>

enum { ORT_API = 16 }; /* the lowest level that has all slots below */

enum {
    ORT_DEVICE_RESET = 15, /* error code */
    ORT_LOG_ERROR = 3,
    ORT_FLOAT = 1,           /* element type */
    ORT_ARENA_ALLOCATOR = 1, /* allocator type */
    ORT_MEM_DEFAULT = 0,
    ORT_OPTIMIZE_ALL = 99,
};

struct ort_status;
struct ort_env;
struct ort_session;
struct ort_session_options;
struct ort_run_options;
struct ort_value;
struct ort_memory_info;
struct ort_type_info;
struct ort_tensor_info;
struct ort_cuda_options;

struct ort_allocator {
    uint32_t version;
    void *(*alloc)(struct ort_allocator *self, size_t size);
    void (*free)(struct ort_allocator *self, void *p);
};

/* Every function that can fail returns NULL or a status to release. */
struct ort_api {
    void *skip_0;
    int (*get_error_code)(const struct ort_status *);
    const char *(*get_error_message)(const struct ort_status *);
    struct ort_status *(*create_env)(int log_level, const char *id, struct ort_env **);
    void *skip_4[4];
    struct ort_status *(*create_session_from_array)(const struct ort_env *, const void *model,
        size_t size, const struct ort_session_options *, struct ort_session **);
    struct ort_status *(*run)(struct ort_session *, const struct ort_run_options *,
        const char *const *input_names, const struct ort_value *const *inputs, size_t ninputs,
        const char *const *output_names, size_t noutputs, struct ort_value **outputs);
    struct ort_status *(*create_session_options)(struct ort_session_options **);
    void *skip_11[12];
    struct ort_status *(*set_graph_optimization)(struct ort_session_options *, int level);
    struct ort_status *(*set_intra_op_threads)(struct ort_session_options *, int threads);
    struct ort_status *(*set_inter_op_threads)(struct ort_session_options *, int threads);
    void *skip_26[4];
    struct ort_status *(*session_input_count)(const struct ort_session *, size_t *);
    struct ort_status *(*session_output_count)(const struct ort_session *, size_t *);
    void *skip_32;
    struct ort_status *(*session_input_type)(
        const struct ort_session *, size_t index, struct ort_type_info **);
    struct ort_status *(*session_output_type)(
        const struct ort_session *, size_t index, struct ort_type_info **);
    void *skip_35;
    struct ort_status *(*session_input_name)(
        const struct ort_session *, size_t index, struct ort_allocator *, char **);
    struct ort_status *(*session_output_name)(
        const struct ort_session *, size_t index, struct ort_allocator *, char **);
    void *skip_38[11];
    struct ort_status *(*create_tensor_with_data)(const struct ort_memory_info *, void *data,
        size_t bytes, const int64_t *shape, size_t rank, int type, struct ort_value **);
    void *skip_50;
    struct ort_status *(*get_tensor_data)(struct ort_value *, void **);
    void *skip_52[3];
    struct ort_status *(*cast_to_tensor_info)(
        const struct ort_type_info *, const struct ort_tensor_info **);
    void *skip_56[4];
    struct ort_status *(*get_element_type)(const struct ort_tensor_info *, int *);
    struct ort_status *(*get_rank)(const struct ort_tensor_info *, size_t *);
    struct ort_status *(*get_shape)(const struct ort_tensor_info *, int64_t *, size_t rank);
    void *skip_63[2];
    struct ort_status *(*get_tensor_info)(const struct ort_value *, struct ort_tensor_info **);
    void *skip_66[3];
    struct ort_status *(*create_cpu_memory_info)(
        int allocator, int memory, struct ort_memory_info **);
    void *skip_70[8];
    struct ort_status *(*get_allocator)(struct ort_allocator **);
    void *skip_79[13];
    void (*release_env)(struct ort_env *);
    void (*release_status)(struct ort_status *);
    void (*release_memory_info)(struct ort_memory_info *);
    void (*release_session)(struct ort_session *);
    void (*release_value)(struct ort_value *);
    void (*release_run_options)(struct ort_run_options *);
    void (*release_type_info)(struct ort_type_info *);
    void (*release_tensor_info)(struct ort_tensor_info *);
    void (*release_session_options)(struct ort_session_options *);
    void *skip_101[29];
    struct ort_status *(*add_session_config)(
        struct ort_session_options *, const char *key, const char *value);
    void *skip_131[73];
    struct ort_status *(*append_cuda)(
        struct ort_session_options *, const struct ort_cuda_options *);
    struct ort_status *(*create_cuda_options)(struct ort_cuda_options **);
    struct ort_status *(*update_cuda_options)(
        struct ort_cuda_options *, const char *const *keys, const char *const *values, size_t n);
    void *skip_207;
    void (*release_cuda_options)(struct ort_cuda_options *);
};

struct ort_api_base {
    const struct ort_api *(*get_api)(uint32_t level);
    const char *(*get_version)(void);
};

/* The slots as numbered in onnxruntime_c_api.h: a miscounted gap would call another function. */
#define ORT_SLOT(member, slot)                                                                     \
    _Static_assert(offsetof(struct ort_api, member) == (slot) * sizeof(void *), #member)
ORT_SLOT(get_error_code, 1);
ORT_SLOT(create_env, 3);
ORT_SLOT(create_session_from_array, 8);
ORT_SLOT(run, 9);
ORT_SLOT(create_session_options, 10);
ORT_SLOT(set_graph_optimization, 23);
ORT_SLOT(set_inter_op_threads, 25);
ORT_SLOT(session_input_count, 30);
ORT_SLOT(session_output_count, 31);
ORT_SLOT(session_input_type, 33);
ORT_SLOT(session_output_type, 34);
ORT_SLOT(session_input_name, 36);
ORT_SLOT(session_output_name, 37);
ORT_SLOT(create_tensor_with_data, 49);
ORT_SLOT(get_tensor_data, 51);
ORT_SLOT(cast_to_tensor_info, 55);
ORT_SLOT(get_element_type, 60);
ORT_SLOT(get_shape, 62);
ORT_SLOT(get_tensor_info, 65);
ORT_SLOT(create_cpu_memory_info, 69);
ORT_SLOT(get_allocator, 78);
ORT_SLOT(release_env, 92);
ORT_SLOT(release_session_options, 100);
ORT_SLOT(add_session_config, 130);
ORT_SLOT(append_cuda, 204);
ORT_SLOT(update_cuda_options, 206);
ORT_SLOT(release_cuda_options, 208);

#endif
