/* Owns what every step of a merge asks: what is most, and which id is free. */
#include "core/merge_plan.h"

enum { ID_DIGITS = 20 };

bool merge_majority(size_t count, size_t n, bool with_first)
{
    return count * 2 > n || (count * 2 == n && with_first);
}

struct str merge_id(struct merge_plan *p, struct str wish)
{
    char hex[SHA256_HEX + 1];
    struct str id = arena_str(p->set->arena, wish);

    for (int again = 1; !id.n || json_object_object_get_ex(p->ids, id.p, NULL); again++) {
        const char *text = arena_printf(p->set->arena, "%d:%.*s", again, STR_FMT(wish));
        sha256_hex(sha256_of(str_of(text)), hex);
        id = arena_str(p->set->arena, (struct str){hex, ID_DIGITS});
    }
    json_object_object_add(p->ids, id.p, NULL);
    return id;
}
