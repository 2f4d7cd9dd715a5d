/* Owns showing a release's data card. Its figures are the builder's (release_card.sql); nothing is
 * counted here. */
#include "annotate-server/api/listing.h"
#include "annotate-server/api/releases.h"

/* Columns of release_card_get. */
static const struct column card[] = {{"figures", put_raw}, {"people", put_raw},
    {"release", put_int}, {"project", put_int}, {"name", put_str}, {"description", put_str},
    {"licence", put_str}, {"root", put_str}, {"created_at", put_raw}, {"filter", put_raw},
    {"split", put_raw}, {"group_by", put_str}};

enum { COL_FIGURES, COL_STATE = ARRAY_LEN(card) };

static void on_card(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such release");
        return;
    }
    if (db_is_null(res, 0, COL_FIGURES)) {
        req_fail(r, ERR_CONFLICT, NULL,
            str_is(db_get_str(res, 0, COL_STATE), "ready")
                ? "the release was built before there were data cards"
                : "the release is not ready");
        return;
    }
    buf_init(&out, BUF_MAX_REPLY);
    listing_put(&out, card, ARRAY_LEN(card), res, 0, COL_FIGURES);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void release_card_handler(struct req *r)
{
    bool people = false;

    if (!flag_param(r, "people", &people))
        return;
    if (people && r->who.role != ROLE_MANAGER && !r->who.admin) {
        req_fail(r, ERR_FORBIDDEN, "/people", "only a manager may see who annotated");
        return;
    }
    struct query *q = query_new(r, STMT_release_card_get, on_card);
    query_int(q, r->id_arg[0]);
    query_bool(q, people);
    query_run(q);
}
