/* Label documents for the tests of difference and merge: items by macro, and random versions of a
 * small document whose regions are known by number. */
#ifndef TESTS_LABEL_VERSIONS_H
#define TESTS_LABEL_VERSIONS_H

#include "base/buf.h"
#include "base/err.h"
#include "core/canon.h"
#include "vectors.h"

/* Pictures of 200 x 200: one percent is two pixels. */
#define BOX(id, x, label)                                                                          \
    "{\"from_name\":\"b\",\"id\":\"" id "\",\"original_height\":200,\"original_width\":200,"       \
    "\"to_name\":\"o\",\"type\":\"rectanglelabels\",\"value\":{\"height\":20,\"rectanglelabels\":" \
    "[\"" label "\"],\"width\":20,\"x\":" #x ",\"y\":40}}"
#define WORD(id, x, word)                                                                          \
    "{\"from_name\":\"t\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"textarea\",\"value\":{"   \
    "\"text\":[\"" word "\"],\"x\":" #x ",\"y\":40}}"
#define SPAN(id, from, to)                                                                         \
    "{\"from_name\":\"s\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"labels\",\"value\":{"     \
    "\"end\":" #to ",\"labels\":[\"P\"],\"start\":" #from "}}"
#define CHOICE(id, word)                                                                           \
    "{\"from_name\":\"c\",\"id\":\"" id "\",\"to_name\":\"o\",\"type\":\"choices\",\"value\":{"    \
    "\"choices\":[\"" word "\"]}}"
#define LINK(from, to)                                                                             \
    "{\"direction\":\"right\",\"from_id\":\"" from "\",\"to_id\":\"" to "\",\"type\":"             \
    "\"relation\"}"

enum { VERSION_REGIONS = 16 };

struct version {
    struct version_region {
        bool there;
        int x;
        char label, word; /* word 0: nothing is said about it */
    } regions[VERSION_REGIONS];
    char choice; /* 0: not answered */
};

static inline struct version_region version_region(uint64_t *s)
{
    return (struct version_region){.there = true,
        .x = (int)(t_random(s) % 70),
        .label = (char)('A' + t_random(s) % 3),
        .word = (char)(t_random(s) % 2 ? 'a' + t_random(s) % 3 : 0)};
}

/* The first half of the regions; the others are there to be added. */
static inline struct version version_first(uint64_t *s)
{
    struct version v = {.choice = (char)(t_random(s) % 3 ? 'a' + t_random(s) % 2 : 0)};

    for (size_t i = 0; i < VERSION_REGIONS / 2; i++)
        v.regions[i] = version_region(s);
    return v;
}

/* Up to n changes. */
static inline void version_change(struct version *v, uint64_t *s, size_t n)
{
    for (size_t k = t_random(s) % (n + 1); k > 0; k--) {
        struct version_region *r = &v->regions[t_random(s) % VERSION_REGIONS];
        switch (t_random(s) % 5) {
        case 0:
            *r = r->there ? (struct version_region){0} : version_region(s);
            break;
        case 1:
            r->x = (int)(t_random(s) % 70);
            break;
        case 2:
            r->label = (char)('A' + t_random(s) % 3);
            break;
        case 3:
            r->word = (char)(t_random(s) % 2 ? 'a' + t_random(s) % 3 : 0);
            break;
        default:
            v->choice = (char)(t_random(s) % 3 ? 'a' + t_random(s) % 2 : 0);
        }
        if (!r->there)
            *r = (struct version_region){0};
    }
}

static inline void version_print(const struct version *v, struct buf *out)
{
    buf_clear(out);
    buf_putc(out, '[');
    for (size_t i = 0; i < VERSION_REGIONS; i++) {
        const struct version_region *r = &v->regions[i];
        if (r->there)
            buf_printf(out,
                "{\"from_name\":\"b\",\"id\":\"r%zu\",\"to_name\":\"o\",\"type\":"
                "\"rectanglelabels\",\"value\":{\"height\":20,\"rectanglelabels\":[\"%c\"],"
                "\"width\":20,\"x\":%d,\"y\":40}},",
                i, r->label, r->x);
        if (r->there && r->word)
            buf_printf(out,
                "{\"from_name\":\"t\",\"id\":\"r%zu\",\"to_name\":\"o\",\"type\":\"textarea\","
                "\"value\":{\"text\":[\"%c\"],\"x\":%d,\"y\":40}},",
                i, r->word, r->x);
    }
    if (v->choice)
        buf_printf(out,
            "{\"from_name\":\"c\",\"id\":\"c\",\"to_name\":\"o\",\"type\":\"choices\",\"value\":{"
            "\"choices\":[\"%c\"]}},",
            v->choice);
    buf_chop(out, ',');
    buf_putc(out, ']');
}

#endif
