/* Taking documents out of packs: the bytes go, every other document stays where it is. */
#include "storage/erase.h"

#include "store.h"
#include "t.h"

TEST(other_documents_stay_where_they_are)
{
    struct blob_store s;
    struct pack_item items[] = {{STR("[1]"), 0}, {STR("[\"secret\"]"), 0}, {STR("[3]"), 0}};
    struct pack_id id;
    struct buf text;

    store_fresh(&s);
    buf_init(&text, 1 << 20);
    REQUIRE(!pack_put(&s, 7, items, 3, &id));
    struct erase_place at = {items[1].off, (int64_t)items[1].doc.n};
    CHECK(!erase_places(&s, 7, id, &at, 1));
    CHECK(!erase_places(&s, 7, id, &at, 1)); /* again is fine */
    CHECK(!pack_get_all(&s, 7, id, &text));
    CHECK_STR(buf_view(&text), STR("[1]          [3]"));
    buf_clear(&text);
    CHECK(!pack_get(&s, 7, id, items[2].off, 3, sha256_of(STR("[3]")), &text));
    CHECK(pack_get(&s, 7, id, at.off, at.bytes, sha256_of(items[1].doc), &text) == ERR_CORRUPT);
    buf_release(&text);
    blob_close(&s);
}

TEST(places_that_are_none)
{
    struct blob_store s;
    struct pack_item item = {STR("[1]"), 0};
    struct pack_id id, nil = {{0}};
    struct erase_place none[] = {{3, 4}, {-1, 2}, {1, 0}, {1, -5}, {2, INT64_MAX}};
    struct buf text;

    store_fresh(&s);
    buf_init(&text, 1 << 20);
    REQUIRE(!pack_put(&s, 7, &item, 1, &id));
    CHECK(!erase_places(&s, 7, id, none, 5));
    CHECK(!pack_get_all(&s, 7, id, &text));
    CHECK_STR(buf_view(&text), STR("[1 "));   /* what reaches beyond the end is cut there */
    CHECK(!erase_places(&s, 8, id, none, 1)); /* not there: gone already */
    CHECK(!erase_places(&s, 7, id, NULL, 0));
    CHECK(pack_id_is_nil(nil) && !pack_id_is_nil(id));
    buf_clear(&text);
    CHECK(pack_get(&s, 7, nil, 0, 3, sha256_of(STR("[1]")), &text) == ERR_GONE);
    buf_release(&text);
    blob_close(&s);
}
