/* The brush's run lengths; the first two bytes are the sides of the picture. The check and the
 * decoder agree, and what was decoded says the same when it is encoded again. */
#include "core/brush.h"
#include "core/json_tree.h"
#include "fuzz.h"

static struct json_object *list_of(struct str bytes)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < bytes.n; i++)
        json_object_array_add(list, json_object_new_int((unsigned char)bytes.p[i]));
    return list;
}

static bool same(const struct mask *a, const struct mask *b)
{
    for (size_t y = 0; y < a->height; y++)
        for (size_t x = 0; x < a->width; x++)
            if (mask_get(a, x, y) != mask_get(b, x, y))
                return false;
    return true;
}

static void encode_again(struct arena *a, const struct mask *mask)
{
    struct json_object *list = NULL;
    const char *why = NULL;
    struct buf text;
    struct mask back;

    buf_init(&text, 64 << 20);
    brush_encode(mask, &text);
    CLAIM(json_tree_parse(buf_view(&text), JSON_DEPTH_MAX, &list, NULL) == ERR_OK);
    CLAIM(mask_new(a, mask->width, mask->height, &back) == ERR_OK);
    CLAIM(brush_decode(list, &back, &why) == ERR_OK);
    CLAIM(same(mask, &back));
    json_object_put(list);
    buf_release(&text);
}

void fuzz(struct str input)
{
    const char *why = NULL, *why_not = NULL;
    struct mask mask;

    if (input.n < 2)
        return;
    size_t width = 1 + (unsigned char)input.p[0], height = 1 + (unsigned char)input.p[1];
    struct json_object *rle = list_of((struct str){input.p + 2, input.n - 2});
    struct arena *a = arena_new();
    CLAIM(mask_new(a, width, height, &mask) == ERR_OK);
    enum err e = brush_decode(rle, &mask, &why);
    CLAIM(e == brush_check(rle, width, height, &why_not));
    if (e)
        CLAIM(why && why_not);
    else
        encode_again(a, &mask);
    arena_free(a);
    json_object_put(rle);
}
