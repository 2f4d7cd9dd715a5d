/* Owns the list of engines. */
#include "workers/prelabel/engine.h"

const struct engine *engine_find(const char *name)
{
    static const struct engine *const engines[] = {&engine_onnx, &engine_fake};

    for (size_t i = 0; i < ARRAY_LEN(engines); i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}
