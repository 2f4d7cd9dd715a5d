/* JSON text: what the strict scan lets through json-c parses, and its canonical form is one that
 * stays as it is. */
#include "core/canon.h"
#include "core/json_tree.h"
#include "fuzz.h"

static void check_cut(struct str input)
{
    struct json_error error;
    size_t length = 0;
    enum json_cut cut = json_scan_value(input, true, JSON_DEPTH_MAX, &length, &error);

    CLAIM(length <= input.n);
    if (cut == JSON_COMPLETE)
        CLAIM(json_scan((struct str){input.p, length}, JSON_DEPTH_MAX, NULL) == ERR_OK);
}

void fuzz(struct str input)
{
    struct json_object *tree = NULL;
    struct json_error error;
    struct buf once, twice;
    enum err e = json_tree_parse(input, JSON_DEPTH_MAX, &tree, &error);

    check_cut(input);
    buf_init(&once, 64 << 20);
    buf_init(&twice, 64 << 20);
    if (!e) {
        CLAIM(canon_value(tree, &once) == ERR_OK);
        CLAIM(canon_text(buf_view(&once), JSON_DEPTH_MAX, &twice, &error) == ERR_OK);
        CLAIM(str_eq(buf_view(&once), buf_view(&twice)));
    } else {
        CLAIM(!tree && error.at <= input.n && error.why);
    }
    json_object_put(tree);
    buf_release(&once);
    buf_release(&twice);
}
