/* Owns reading a task's versions as a graph. Never reads content. */
#include "annotate-server/api/label_lineage.h"

#include "annotate-server/api/label_row.h"

enum { COL_SOURCES = LABEL_COLUMNS }; /* merged_from as an array */

enum maker { MADE_BY_MODEL, MADE_BY_PERSON, MADE_FROM_OLD, MADE_OTHERWISE };

struct model {
    struct str name;
    size_t newest; /* version */
};

struct reader {
    struct arena *arena;
    const PGresult *res;
    struct lineage *l;
    struct model *models; /* that have been met so far */
    size_t nmodels;
    size_t *found; /* parents of the version at hand */
    size_t nfound;
};

static enum maker maker_of(struct str kind)
{
    static const struct {
        const char *kind;
        enum maker maker;
    } rows[] = {{"prelabel", MADE_BY_MODEL}, {"submission", MADE_BY_PERSON},
        {"review_fix", MADE_BY_PERSON}, {"qa_fix", MADE_BY_PERSON}, {"late", MADE_BY_PERSON},
        {"import", MADE_BY_PERSON}, {"restore", MADE_FROM_OLD}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_is(kind, rows[i].kind))
            return rows[i].maker;
    return MADE_OTHERWISE;
}

/* Rows come newest first. */
static int row_of(const struct reader *rd, size_t version)
{
    return (int)(rd->l->n - 1 - version);
}

/* Versions that are too old to be in the list are no parents. */
static void add_id(struct reader *rd, size_t before, int64_t id)
{
    for (size_t i = before; i-- > 0;)
        if (rd->l->ids[i] == id) {
            rd->found[rd->nfound++] = i;
            return;
        }
}

static void add_same(struct reader *rd, size_t version)
{
    for (size_t i = version; i-- > 0;)
        if (sha256_eq(rd->l->places[i].sha256, rd->l->places[version].sha256)) {
            rd->found[rd->nfound++] = i;
            return;
        }
}

static void meet_model(struct reader *rd, struct str name, size_t version)
{
    size_t i = 0;

    while (i < rd->nmodels && !str_eq(rd->models[i].name, name))
        i++;
    rd->models[i] = (struct model){name, version};
    rd->nmodels += i == rd->nmodels;
}

static void find_parents(struct reader *rd, size_t version, enum maker maker)
{
    int row = row_of(rd, version);
    int64_t *sources;
    size_t n = db_get_ints(rd->res, row, COL_SOURCES, rd->arena, &sources);

    rd->found = arena_array(rd->arena, 2 + n + rd->nmodels, sizeof(*rd->found));
    rd->nfound = 0;
    if (!db_is_null(rd->res, row, LABEL_PARENT))
        add_id(rd, version, db_get_int(rd->res, row, LABEL_PARENT));
    for (size_t i = 0; i < n; i++)
        add_id(rd, version, sources[i]);
    if (maker == MADE_FROM_OLD)
        add_same(rd, version);
    for (size_t i = 0; maker == MADE_BY_PERSON && i < rd->nmodels; i++)
        rd->found[rd->nfound++] = rd->models[i].newest;
    rd->l->parents[version] = (struct blame_version){rd->found, rd->nfound};
}

static enum err read_row(struct reader *rd, size_t version)
{
    struct lineage *l = rd->l;
    int row = row_of(rd, version);
    enum maker maker = maker_of(db_get_str(rd->res, row, LABEL_KIND));
    struct buf text;

    l->ids[version] = db_get_int(rd->res, row, LABEL_ID);
    buf_init(&text, BUF_MAX_JSON);
    label_row_put(&text, rd->res, row);
    l->shown[version] = arena_str(rd->arena, buf_view(&text));
    buf_release(&text);
    if (!label_row_locate(&l->places[version], rd->res, row))
        return ERR_INTERNAL;
    find_parents(rd, version, maker);
    if (maker == MADE_BY_MODEL)
        meet_model(rd, arena_str(rd->arena, db_get_str(rd->res, row, LABEL_MODEL)), version);
    return ERR_OK;
}

enum err lineage_read(struct arena *a, const PGresult *res, size_t most, struct lineage *l)
{
    size_t rows = (size_t)PQntuples(res);
    struct reader rd = {.arena = a, .res = res, .l = l};

    *l = (struct lineage){.n = rows < most ? rows : most, .cut = rows > most};
    l->parents = arena_array(a, l->n + 1, sizeof(*l->parents));
    l->places = arena_array(a, l->n + 1, sizeof(*l->places));
    l->shown = arena_array(a, l->n + 1, sizeof(*l->shown));
    l->ids = arena_array(a, l->n + 1, sizeof(*l->ids));
    rd.models = arena_array(a, l->n + 1, sizeof(*rd.models));
    for (size_t i = 0; i < l->n; i++) {
        enum err e = read_row(&rd, i);
        if (e)
            return e;
    }
    return ERR_OK;
}
