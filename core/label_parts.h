/* A label document taken apart into what can change by itself, so that two versions of it can be
 * laid side by side: an item of a region (by id and control), an answer about the whole object (by
 * control), a relation (by its ends). */
#ifndef CORE_LABEL_PARTS_H
#define CORE_LABEL_PARTS_H

#include "core/label_view.h"

enum part_kind { PART_ITEM, PART_WHOLE, PART_RELATION };

struct label_part {
    enum part_kind kind;
    struct str key; /* with nth: the same thing in another version has the same */
    size_t nth;
    struct str id; /* of a relation: empty */
    bool makes_region;
    struct str said_key; /* the member of the value that carries the answer; "" without one */
    struct json_object *item;
    size_t at;
};

struct label_parts {
    struct label_view *view; /* owns everything */
    struct label_part *parts;
    size_t n; /* sorted by part_cmp() */
};

/* Errors as label_view_new(). */
enum err label_parts_new(struct str text, struct label_parts *out) MUSTCHECK;
void label_parts_release(struct label_parts *p);

/* PART_ITEMs of one id lie side by side. */
int part_cmp(const struct label_part *a, const struct label_part *b);

/* A field of a part: PART_PLACE (where it lies: all members of the value but the answer), the
 * answer by its key, or a member of the item ("meta"). New reference; NULL when it is not there. */
#define PART_PLACE "place"
struct json_object *part_field(const struct label_part *p, struct str field);
/* Replaces the field in `item`, which is of the same kind as p's; `value` NULL: removes it. Takes
 * no reference. */
void part_set_field(const struct label_part *p, struct json_object *item, struct str field,
    struct json_object *value);
/* The fields of the parts (NULLs are skipped), each once; sorted. */
struct str *part_fields(
    struct arena *mem, const struct label_part *const *parts, size_t n, size_t *count);
/* True for what says how an item came about, not what it is: origin, score, lead_time, id. */
bool part_field_is_making(struct str field);
/* Equal in all fields. */
bool part_equal(const struct label_part *a, const struct label_part *b);

#endif
