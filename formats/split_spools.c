/* Owns which spool is whose. */
#include "formats/split_spools.h"

struct spool *split_spool_of(struct exporter *x, struct split_spools *all, const char *split)
{
    struct split_spool **at = &all->first, *s;

    while (*at && strcmp((*at)->split, split) != 0)
        at = &(*at)->next;
    if (*at)
        return (*at)->spool;
    s = arena_alloc(export_arena(x), sizeof(*s));
    s->split = arena_copy(export_arena(x), split, strlen(split));
    s->spool = export_spool(x);
    *at = s;
    return s->spool;
}
