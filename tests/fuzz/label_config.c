/* A label config, XML: what is read says itself as JSON. */
#include "core/label_config.h"
#include "core/json_tree.h"
#include "fuzz.h"

void fuzz(struct str input)
{
    struct label_config *config = NULL;
    struct json_object *json = NULL;
    char why[LABEL_CONFIG_WHY];
    struct buf text;

    if (label_config_parse(input, &config, why)) {
        CLAIM(!config && *why);
        return;
    }
    buf_init(&text, 64 << 20);
    label_config_json(config, &text);
    if (!buf_err(&text))
        CLAIM(json_tree_parse(buf_view(&text), JSON_DEPTH_MAX, &json, NULL) == ERR_OK);
    json_object_put(json);
    buf_release(&text);
    label_config_free(config);
}
