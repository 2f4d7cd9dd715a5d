/* A Label Studio label config (XML), parsed once into an immutable structure: which data a task
 * shows (object tags) and which results may come back (control tags with their labels). Everything
 * lives in the config's own arena; it may be shared between threads. */
#ifndef CORE_LABEL_CONFIG_H
#define CORE_LABEL_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
    LABEL_CONFIG_MAX = 256 << 10, /* bytes of XML */
    LABEL_CONFIG_DEPTH = 64,      /* elements inside one another */
    LABEL_CONFIG_NODES = 10000,   /* elements */
    LABEL_CONFIG_WHY = 256,
};

struct label_attr {
    struct str name, value;
};

struct label_attrs {
    const struct label_attr *v; /* in document order */
    size_t n;
};

/* The name of a tag. Inside a <Repeater> it holds the index flag ("page_{{idx}}") and stands for
 * every name with a number in its place; `before` and `after` are the parts around the flag. */
struct label_name {
    struct str text, before, after;
    bool indexed;
};

struct label_object {
    struct label_name name;
    struct str type;       /* "Image" */
    struct str value;      /* as written: "$image" */
    struct str field;      /* the key of task data it shows, or empty: fixed text */
    struct str value_type; /* "url", "text" or empty */
    struct str text_key;   /* of Paragraphs: the member of each that holds its text */
    bool list;             /* valueList: several pictures, told apart by item_index */
    struct label_object *next;
};

/* A <Label>, <Choice> or <Relation> of a control. */
struct label_value {
    struct str value;                 /* what results carry: the alias, or else the value */
    const struct label_value *parent; /* of a nested choice; else NULL */
    size_t index;                     /* place among the control's values, from 0 */
    struct label_attrs attrs;
    struct label_value *next;
};

struct label_target {
    const struct label_object *object;
    struct label_target *next;
};

/* When something is shown (visibleWhen, and the when... attributes beside it), of a control or of
 * what it stands in. Lists are as written, with commas; empty: any. */
struct label_condition {
    enum {
        SHOWN_REGION,    /* a region is selected, from the control `tag` and with one of `labels` */
        SHOWN_NO_REGION, /* no region is selected */
        SHOWN_CHOICE,    /* the control `tag` says one of `choices` */
        SHOWN_NO_CHOICE, /* it does not */
        SHOWN_ON,        /* always; but of the regions only those as in SHOWN_REGION are asked */
    } when;
    struct str tag, labels, choices;
    const struct label_condition *next;
};

struct label_control {
    struct label_name name;
    struct str type; /* "RectangleLabels"; results carry it in lower case */
    size_t index;    /* place among the controls, from 0 */
    long line;       /* of the XML */
    bool implied;    /* the messages of a <Chat>: no tag of its own */
    struct label_attrs attrs;
    const struct label_target *to;     /* toName; without one, the only object there is */
    struct label_value *values;        /* in document order */
    const struct label_value **sorted; /* by (value, parent) */
    size_t nvalues;
    bool dynamic;  /* labels come from task data (value="$field") or a service (apiUrl) */
    bool single;   /* choice="single" or "single-radio", said or by default (Choices) */
    bool required; /* where it is shown */
    const struct label_condition *shown; /* all must hold; NULL: always */
    bool per_region, per_item, allow_nested;
    struct label_control *next;
};

struct label_config {
    struct arena *arena;
    struct label_object *objects;
    struct label_control *controls; /* in document order, <Relations> not among them */
    size_t ncontrols;
    struct label_control *relations; /* the labels of relations; NULL: any */
};

/* ERR_INVALID with a plain reason, the line included, in why (>= LABEL_CONFIG_WHY bytes). */
enum err label_config_parse(struct str xml, struct label_config **out, char *why) MUSTCHECK;
void label_config_free(struct label_config *c);

/* By the name a result carries; NULL when there is none. */
const struct label_control *label_control_find(const struct label_config *c, struct str name);
/* The object of that name among those the control is for, with the same index in a Repeater. */
const struct label_object *label_control_target(
    const struct label_control *control, struct str from_name, struct str to_name);
/* The value under `parent`; NULL when there is none. */
const struct label_value *label_value_find(
    const struct label_control *control, const struct label_value *parent, struct str value);
/* The value under any parent. */
const struct label_value *label_value_any(const struct label_control *control, struct str value);
/* Empty when it is not there. */
struct str label_attr(const struct label_attrs *attrs, const char *name);

/* One JSON object like the SDK's parse_config(): control name -> {type, to_name, inputs, labels,
 * labels_attrs, conditionals?, dynamic_labels?, regex?}, and all attributes of the control as
 * `attrs`. */
void label_config_json(const struct label_config *c, struct buf *out);

#endif
