/* What the tests of label documents share: configs and documents from text, items by macro. */
#ifndef TESTS_LABEL_DOCS_H
#define TESTS_LABEL_DOCS_H

#include <stdlib.h>

#include "core/json_tree.h"
#include "core/label_doc.h"
#include "t.h"

#define ITEM(type, from, to, value)                                                                \
    "{'id':'x','type':'" type "','from_name':'" from "','to_name':'" to "','value':" value "}"
#define BOX(value) ITEM("rectanglelabels", "label", "image", value)
#define LABEL      "'rectanglelabels':['Car']"
#define GOOD_BOX   BOX("{'x':1,'y':2,'width':3,'height':4," LABEL "}")

static inline struct label_config *config_of(const char *xml)
{
    struct label_config *c = NULL;
    char why[LABEL_CONFIG_WHY];

    if (label_config_parse(str_of(xml), &c, why)) {
        t_fail(__FILE__, __LINE__, "%s", why);
        exit(1);
    }
    return c;
}

static inline struct json_object *json(const char *text)
{
    struct json_object *v = NULL;
    struct json_error error;

    if (text && json_tree_parse(str_of(text), 64, &v, &error)) {
        t_fail(__FILE__, __LINE__, "%s in %s", error.why, text);
        exit(1);
    }
    return v;
}

/* Checks `doc` under `c`; out (may be NULL) gets the canonical bytes. */
static inline enum err run(const struct label_config *c, const char *doc, const char *data,
    unsigned flags, struct buf *out, struct label_doc_info *info, struct label_problem *problem)
{
    struct json_object *result = json(doc), *task = json(data);
    struct buf own;
    enum err e;

    buf_init(&own, 2 * BUF_MAX_LABEL);
    e = label_doc_canon(c, result, task, flags, out ? out : &own, info, problem);
    buf_release(&own);
    json_object_put(result);
    json_object_put(task);
    return e;
}

/* `text` with ' for ", to be read by people. */
static inline char *quoted(const char *text)
{
    char *s = strdup(text);

    for (char *p = s; p && *p; p++)
        if (*p == '\'')
            *p = '"';
    return s;
}

#endif
