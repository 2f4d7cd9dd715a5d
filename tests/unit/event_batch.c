/* Events as they are sent: how a batch is cut into pieces that a connection can have waiting. */
#include "annotate-server/api/event_batch.h"

#include "t.h"

enum { ROWS = 1000 };

static struct event_row rows[ROWS];

static struct event_batch batch_of(uint32_t bytes)
{
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = (struct event_row){.all = bytes};
    return (struct event_batch){.rows = rows, .n = ROWS};
}

TEST(a_piece_of_a_batch_ends_by_its_events)
{
    struct event_batch b = batch_of(100);

    CHECK(event_batch_piece(&b, 0, 500, 1 << 20) == 500);
    CHECK(event_batch_piece(&b, 500, 500, 1 << 20) == 1000);
    CHECK(event_batch_piece(&b, 900, 500, 1 << 20) == 1000);
    CHECK(event_batch_piece(&b, 1000, 500, 1 << 20) == 1000);
    b.n = 0;
    CHECK(event_batch_piece(&b, 0, 500, 1 << 20) == 0);
}

/* While many transactions are open every id names them all. */
TEST(a_piece_of_a_batch_ends_by_its_bytes)
{
    struct event_batch b = batch_of(1500);

    CHECK(event_batch_piece(&b, 0, 500, 65536) == 44);
    CHECK(event_batch_piece(&b, 44, 500, 65536) == 88);
    CHECK(event_batch_piece(&b, 0, 500, 1500) == 1);
    CHECK(event_batch_piece(&b, 0, 500, 1501) == 2);
    rows[10].all = 1 << 24; /* one that is too large for any piece goes all the same */
    CHECK(event_batch_piece(&b, 10, 500, 65536) == 11);
    CHECK(event_batch_piece(&b, 0, 500, 65536) == 11);
}
