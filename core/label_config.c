/* Owns reading the XML of a label config with libxml2: no network, no entities, no DOCTYPE, bounded
 * in size, depth and number of elements. Never looks at task data or results. */
#include "core/label_config.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct parse {
    struct label_config *config;
    struct arena *arena;
    char *why;
    size_t nodes;
    struct label_object **object_end;
    struct label_control **control_end;
    struct str flags[8]; /* indexFlag of the Repeaters seen */
    size_t nflags;
};

/* Where the values (labels, choices) found below an element go. */
struct scope {
    struct label_control *control; /* NULL: outside of any */
    const struct label_value *parent;
    const struct label_condition *shown; /* the conditions of all around */
    int depth;
};

/* Every control tag: what carries name and toName and gives results. A tag that is not here and not
 * known to be visual cannot be checked, so a config with it is refused. */
static const char *const control_types[] = {"BitmaskLabels", "Bitmask", "BrushLabels", "Brush",
    "ChatMessage", "Choices", "DateTime", "EllipseLabels", "Ellipse", "HyperTextLabels",
    "KeyPointLabels", "KeyPoint", "Labels", "MagicWand", "Number", "OcrLabels", "Pairwise",
    "ParagraphLabels", "PolygonLabels", "Polygon", "Ranker", "Rating", "ReactCode",
    "RectangleLabels", "Rectangle", "Taxonomy", "TextArea", "TimeSeriesLabels", "TimelineLabels",
    "VectorLabels", "Vector", "VideoRectangle", "VideoVector", "VideoVectorLabels"};

static const char *const value_types[] = {"Label", "Choice", "Relation"};

static bool one_of(struct str s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(s, list[i]))
            return true;
    return false;
}

PRINTF(3, 4) static enum err bad(struct parse *p, const xmlNode *node, const char *fmt, ...)
{
    int n = snprintf(p->why, LABEL_CONFIG_WHY, "line %ld: ", xmlGetLineNo(node));
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->why + n, (size_t)(LABEL_CONFIG_WHY - n), fmt, ap);
    va_end(ap);
    return ERR_INVALID;
}

static struct str node_name(const xmlNode *node)
{
    return str_of((const char *)node->name);
}

static struct label_attrs read_attrs(struct parse *p, const xmlNode *node)
{
    struct label_attr *v;
    size_t n = 0;

    for (const xmlAttr *a = node->properties; a; a = a->next)
        n++;
    v = arena_array(p->arena, n + 1, sizeof(*v));
    n = 0;
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        xmlChar *value = xmlNodeListGetString(node->doc, a->children, 1);
        v[n].name = arena_str(p->arena, str_of((const char *)a->name));
        v[n++].value = arena_str(p->arena, str_of(value ? (const char *)value : ""));
        xmlFree(value);
    }
    return (struct label_attrs){v, n};
}

struct str label_attr(const struct label_attrs *attrs, const char *name)
{
    for (size_t i = 0; i < attrs->n; i++)
        if (str_is(attrs->v[i].name, name))
            return attrs->v[i].value;
    return STR("");
}

static bool attr_true(const struct label_attrs *attrs, const char *name)
{
    return str_ieq(label_attr(attrs, name), STR("true"));
}

static struct label_name make_name(struct parse *p, struct str text)
{
    struct label_name name = {.text = text};

    for (size_t i = 0; i < p->nflags; i++) {
        const char *at = memmem(text.p, text.n, p->flags[i].p, p->flags[i].n);
        if (!at)
            continue;
        name.indexed = true;
        name.before = (struct str){text.p, (size_t)(at - text.p)};
        name.after = (struct str){at + p->flags[i].n, text.n - name.before.n - p->flags[i].n};
        break;
    }
    return name;
}

/* True when a result may carry `text` for this name; *index is the number in a Repeater. */
static bool name_matches(const struct label_name *name, struct str text, struct str *index)
{
    *index = STR("");
    if (!name->indexed)
        return str_eq(name->text, text);
    if (text.n <= name->before.n + name->after.n || !str_starts(text, name->before))
        return false;
    *index = (struct str){text.p + name->before.n, text.n - name->before.n - name->after.n};
    for (size_t i = 0; i < index->n; i++)
        if (index->p[i] < '0' || index->p[i] > '9')
            return false;
    return str_eq((struct str){index->p + index->n, name->after.n}, name->after);
}

static bool name_taken(const struct parse *p, struct str name)
{
    for (const struct label_object *o = p->config->objects; o; o = o->next)
        if (str_eq(o->name.text, name))
            return true;
    for (const struct label_control *c = p->config->controls; c; c = c->next)
        if (str_eq(c->name.text, name))
            return true;
    return false;
}

static struct label_object *add_object(
    struct parse *p, struct str type, struct label_attrs attrs, struct str value)
{
    struct label_object *o = arena_alloc(p->arena, sizeof(*o));

    o->name = make_name(p, label_attr(&attrs, "name"));
    o->type = type;
    o->value = value;
    if (str_starts(value, STR("$")))
        o->field = (struct str){value.p + 1, value.n - 1};
    o->value_type = label_attr(&attrs, "valueType");
    o->text_key = label_attr(&attrs, "textKey");
    if (o->text_key.n == 0)
        o->text_key = STR("text");
    *p->object_end = o;
    p->object_end = &o->next;
    return o;
}

/* The conditions around an element and its own, if it has one. What visibleWhen says that is not
 * known here hides nothing, as in Label Studio. */
static const struct label_condition *read_condition(
    struct parse *p, const struct label_attrs *attrs, const struct label_condition *around)
{
    static const char *const names[] = {[SHOWN_REGION] = "region-selected",
        [SHOWN_NO_REGION] = "no-region-selected",
        [SHOWN_CHOICE] = "choice-selected",
        [SHOWN_NO_CHOICE] = "choice-unselected"};
    struct label_condition found = {.when = SHOWN_ON,
        .tag = label_attr(attrs, "whenTagName"),
        .labels = label_attr(attrs, "whenLabelValue"),
        .choices = label_attr(attrs, "whenChoiceValue"),
        .next = around};
    struct str when = label_attr(attrs, "visibleWhen");

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(when, names[i]))
            found.when = (unsigned)i;
    if (found.when == SHOWN_ON && found.labels.n == 0)
        return around;
    struct label_condition *own = arena_alloc(p->arena, sizeof(*own));
    *own = found;
    return own;
}

static struct label_control *add_control(
    struct parse *p, const xmlNode *node, struct str type, struct label_attrs attrs)
{
    struct label_control *c = arena_alloc(p->arena, sizeof(*c));
    struct str choice = label_attr(&attrs, "choice");

    c->name = make_name(p, label_attr(&attrs, "name"));
    c->type = type;
    c->line = xmlGetLineNo(node);
    c->attrs = attrs;
    c->dynamic =
        str_starts(label_attr(&attrs, "value"), STR("$")) || label_attr(&attrs, "apiUrl").n > 0;
    c->single = choice.n ? str_starts(choice, STR("single")) : str_is(type, "Choices");
    c->required = attr_true(&attrs, "required");
    c->per_region = attr_true(&attrs, "perRegion");
    c->per_item = attr_true(&attrs, "perItem");
    c->allow_nested = attr_true(&attrs, "allowNested");
    if (str_is(type, "Relations")) {
        p->config->relations = c;
    } else {
        c->index = p->config->ncontrols++;
        *p->control_end = c;
        p->control_end = &c->next;
    }
    return c;
}

/* A <Chat> shows its data, and its messages are results of the tag itself. */
static void add_chat(
    struct parse *p, const xmlNode *node, struct label_attrs attrs, struct str value)
{
    struct str name = label_attr(&attrs, "name");
    struct label_attr *self = arena_array(p->arena, 2, sizeof(*self));

    self[0] = (struct label_attr){STR("name"), name};
    self[1] = (struct label_attr){STR("toName"), name};
    add_object(p, STR("Chat"), attrs, value);
    add_control(p, node, STR("ChatMessage"), (struct label_attrs){self, 2})->implied = true;
}

/* An element with a name: an object, a control, or something visual. */
static enum err read_named(
    struct parse *p, const xmlNode *node, struct label_attrs attrs, struct scope *scope)
{
    struct str type = arena_str(p->arena, node_name(node));
    struct str name = label_attr(&attrs, "name"), to = label_attr(&attrs, "toName");
    struct str value = label_attr(&attrs, "value");
    bool known = one_of(type, control_types, ARRAY_LEN(control_types));

    if (str_is(type, "Filter"))
        return ERR_OK;
    if (name.n > 200)
        return bad(p, node, "the name of <%.*s> is longer than 200 bytes", STR_FMT(type));
    if (name_taken(p, name))
        return bad(p, node, "there are two tags with the name \"%.*s\"", STR_FMT(name));
    if (str_is(type, "Chat")) {
        add_chat(p, node, attrs, value);
    } else if (known) {
        *scope = (struct scope){.control = add_control(p, node, type, attrs),
            .shown = scope->shown,
            .depth = scope->depth};
        scope->control->shown = scope->shown;
        if (str_is(type, "ReactCode") && str_eq(name, to)) /* shows its data itself */
            add_object(p, type, attrs, label_attr(&attrs, "data"));
    } else if (to.n) {
        return bad(p, node, "<%.*s> is not a control tag known here", STR_FMT(type));
    } else if (value.n) {
        add_object(p, type, attrs, value);
    } else if (label_attr(&attrs, "valueList").n) {
        add_object(p, type, attrs, label_attr(&attrs, "valueList"))->list = true;
    }
    return ERR_OK;
}

static enum err read_value(
    struct parse *p, const xmlNode *node, struct label_attrs attrs, struct scope *scope)
{
    struct str alias = label_attr(&attrs, "alias");
    struct str value = alias.n ? alias : label_attr(&attrs, "value");
    struct label_control *c = scope->control;
    struct label_value *v;

    if (!c) /* decoration: LS shows nothing for it */
        return ERR_OK;
    if (value.n == 0)
        return bad(p, node, "<%s> needs a value", (const char *)node->name);
    v = arena_alloc(p->arena, sizeof(*v));
    v->value = value;
    v->attrs = attrs;
    v->parent = scope->parent;
    v->index = c->nvalues++;
    v->next = c->values; /* newest first until read_sorted */
    c->values = v;
    scope->parent = v;
    return ERR_OK;
}

static enum err read_repeater(struct parse *p, const xmlNode *node, struct label_attrs attrs)
{
    struct str flag = label_attr(&attrs, "indexFlag");

    if (flag.n == 0)
        flag = STR("{{idx}}");
    if (p->nflags == ARRAY_LEN(p->flags))
        return bad(p, node, "there are more than %zu <Repeater>s", ARRAY_LEN(p->flags));
    p->flags[p->nflags++] = flag;
    return ERR_OK;
}

static enum err read_element(struct parse *p, const xmlNode *node, struct scope scope)
{
    struct label_attrs attrs;
    struct str type = node_name(node);
    enum err e = ERR_OK;

    if (++p->nodes > LABEL_CONFIG_NODES)
        return bad(p, node, "there are more than %d elements", LABEL_CONFIG_NODES);
    if (++scope.depth > LABEL_CONFIG_DEPTH)
        return bad(p, node, "elements are nested deeper than %d", LABEL_CONFIG_DEPTH);
    attrs = read_attrs(p, node);
    scope.shown = read_condition(p, &attrs, scope.shown);
    if (str_is(type, "Repeater"))
        e = read_repeater(p, node, attrs);
    else if (str_is(type, "Relations"))
        scope.control = add_control(p, node, STR("Relations"), attrs);
    else if (one_of(type, value_types, ARRAY_LEN(value_types)))
        e = read_value(p, node, attrs, &scope);
    else if (label_attr(&attrs, "name").n)
        e = read_named(p, node, attrs, &scope);
    else if (one_of(type, control_types, ARRAY_LEN(control_types)))
        e = bad(p, node, "<%.*s> needs a name", STR_FMT(type));
    for (const xmlNode *child = node->children; child && !e; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            e = read_element(p, child, scope);
    return e;
}

static int compare_values(const void *pa, const void *pb)
{
    const struct label_value *a = *(const struct label_value *const *)pa;
    const struct label_value *b = *(const struct label_value *const *)pb;
    int order = str_cmp(a->value, b->value);
    size_t pa_at = a->parent ? a->parent->index + 1 : 0,
           pb_at = b->parent ? b->parent->index + 1 : 0;
    return order ? order : (pa_at > pb_at) - (pa_at < pb_at);
}

/* A label that is written twice is found by its first place, as Label Studio has it. */
static int compare_places(const void *pa, const void *pb)
{
    const struct label_value *a = *(const struct label_value *const *)pa;
    const struct label_value *b = *(const struct label_value *const *)pb;
    int order = compare_values(pa, pb);

    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Turns the values of a control into document order and sorts them for look-up. */
static void sort_values(struct parse *p, struct label_control *c)
{
    struct label_value *next, *first = NULL;
    size_t n = c->nvalues;

    c->sorted = arena_array(p->arena, n + 1, sizeof(*c->sorted));
    for (struct label_value *v = c->values; v; v = next) {
        next = v->next;
        v->next = first;
        first = v;
        c->sorted[--n] = v;
    }
    c->values = first;
    qsort(c->sorted, c->nvalues, sizeof(struct label_value *), compare_places);
}

static const struct label_object *object_named(const struct label_config *c, struct str name)
{
    for (const struct label_object *o = c->objects; o; o = o->next)
        if (str_eq(o->name.text, name))
            return o;
    return NULL;
}

static enum err resolve_targets(struct parse *p, struct label_control *c)
{
    struct str rest = label_attr(&c->attrs, "toName"), part;
    struct label_target *first = NULL, **end = &first;
    const struct label_object *only = p->config->objects;

    if (rest.n == 0 && only && !only->next) /* what else could it be for */
        rest = only->name.text;
    if (rest.n == 0) {
        snprintf(p->why, LABEL_CONFIG_WHY, "line %ld: <%.*s name=\"%.60s\"> needs toName", c->line,
            STR_FMT(c->type), c->name.text.p);
        return ERR_INVALID;
    }
    while (str_split(&rest, ',', &part)) {
        struct label_target *t = arena_alloc(p->arena, sizeof(*t));
        t->object = object_named(p->config, str_trim(part));
        if (!t->object) {
            snprintf(p->why, LABEL_CONFIG_WHY,
                "line %ld: <%.*s name=\"%.60s\">: toName is \"%.*s\", which is no tag that shows "
                "data",
                c->line, STR_FMT(c->type), c->name.text.p, STR_FMT(part));
            return ERR_INVALID;
        }
        *end = t;
        end = &t->next;
    }
    c->to = first;
    return ERR_OK;
}

static enum err finish(struct parse *p)
{
    struct label_control *c = p->config->controls;
    enum err e = ERR_OK;

    if (!c) {
        snprintf(p->why, LABEL_CONFIG_WHY, "there is no control tag: nothing could be labelled");
        return ERR_INVALID;
    }
    for (; c && !e; c = c->next) {
        e = resolve_targets(p, c);
        sort_values(p, c);
    }
    if (p->config->relations)
        sort_values(p, p->config->relations);
    return e;
}

/* A DOCTYPE is where entities come from; nothing good needs one. Called before any is read. */
static void refuse_doctype(
    void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxt *c = ctx;

    (void)name, (void)external, (void)system;
    *(bool *)c->_private = true;
    xmlStopParser(c);
}

static void explain_xml(xmlParserCtxt *ctx, bool doctype, char *why)
{
    const xmlError *x = xmlCtxtGetLastError(ctx);

    if (doctype) {
        snprintf(why, LABEL_CONFIG_WHY, "a DOCTYPE is not allowed");
        return;
    }
    snprintf(why, LABEL_CONFIG_WHY, "line %d: not well-formed XML: %s", x ? x->line : 1,
        x && x->message ? x->message : "no element");
    why[strcspn(why, "\n")] = '\0';
}

static xmlDoc *read_xml(struct str xml, char *why)
{
    xmlParserCtxt *ctx = xmlNewParserCtxt();
    bool doctype = false;
    xmlDoc *doc;

    BUG_ON(!ctx);
    ctx->_private = &doctype;
    ctx->sax->internalSubset = refuse_doctype;
    doc = xmlCtxtReadMemory(ctx, xml.p, (int)xml.n, NULL, "UTF-8",
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doctype || !doc) {
        explain_xml(ctx, doctype, why);
        xmlFreeDoc(doc);
        doc = NULL;
    }
    xmlFreeParserCtxt(ctx);
    return doc;
}

static enum err read_config(struct parse *p, const xmlDoc *doc)
{
    const xmlNode *root = xmlDocGetRootElement(doc);
    struct scope top = {0};
    enum err e;

    if (!root || !str_is(node_name(root), "View"))
        return bad(p, root, "the first element must be <View>");
    e = read_element(p, root, top);
    return e ? e : finish(p);
}

enum err label_config_parse(struct str xml, struct label_config **out, char *why)
{
    struct parse p = {.why = why};
    xmlDoc *doc;
    enum err e;

    *out = NULL;
    if (xml.n > LABEL_CONFIG_MAX) {
        snprintf(why, LABEL_CONFIG_WHY, "longer than %d bytes", LABEL_CONFIG_MAX);
        return ERR_INVALID;
    }
    if (memchr(xml.p, '\0', xml.n)) {
        snprintf(why, LABEL_CONFIG_WHY, "a NUL byte is not allowed");
        return ERR_INVALID;
    }
    doc = read_xml(xml, why);
    if (!doc)
        return ERR_INVALID;
    p.arena = arena_new();
    p.config = arena_alloc(p.arena, sizeof(*p.config));
    p.config->arena = p.arena;
    p.object_end = &p.config->objects;
    p.control_end = &p.config->controls;
    e = read_config(&p, doc);
    xmlFreeDoc(doc);
    if (e)
        arena_free(p.arena);
    else
        *out = p.config;
    return e;
}

void label_config_free(struct label_config *c)
{
    if (c)
        arena_free(c->arena);
}

const struct label_control *label_control_find(const struct label_config *c, struct str name)
{
    struct str index;

    for (const struct label_control *at = c->controls; at; at = at->next)
        if (name_matches(&at->name, name, &index))
            return at;
    return NULL;
}

const struct label_object *label_control_target(
    const struct label_control *control, struct str from_name, struct str to_name)
{
    struct str from_index, to_index;

    if (!name_matches(&control->name, from_name, &from_index))
        return NULL;
    for (const struct label_target *t = control->to; t; t = t->next) {
        if (!name_matches(&t->object->name, to_name, &to_index))
            continue;
        if (!control->name.indexed || !t->object->name.indexed || str_eq(from_index, to_index))
            return t->object;
    }
    return NULL;
}

static const struct label_value *find_value(
    const struct label_control *control, const struct label_value *key, bool any_parent)
{
    size_t low = 0, high = control->nvalues;

    while (low < high) { /* the first that is not below the key */
        size_t mid = low + (high - low) / 2;
        if (compare_values(&control->sorted[mid], &key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == control->nvalues || !str_eq(control->sorted[low]->value, key->value))
        return NULL;
    return any_parent || control->sorted[low]->parent == key->parent ? control->sorted[low] : NULL;
}

const struct label_value *label_value_find(
    const struct label_control *control, const struct label_value *parent, struct str value)
{
    struct label_value key = {.value = value, .parent = parent};

    return find_value(control, &key, false);
}

const struct label_value *label_value_any(const struct label_control *control, struct str value)
{
    struct label_value key = {.value = value};

    return find_value(control, &key, true);
}
