/* Packs: what was put comes back, and any flipped bit or wrong place is noticed (I6). */
#include "storage/pack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "store.h"
#include "t.h"

TEST(round_trip)
{
    struct blob_store s;
    struct pack_item items[] = {{STR("[]"), -1}, {STR("[{\"id\":\"a\"}]"), -1}, {STR("[]"), -1}};
    struct pack_id id;
    struct buf out;

    store_fresh(&s);
    buf_init(&out, 100);
    REQUIRE(pack_put(&s, 3, items, 3, &id) == ERR_OK);
    CHECK_INT(items[0].off, 0);
    CHECK_INT(items[1].off, 2);
    CHECK_INT(items[2].off, 14);
    for (size_t i = 0; i < 3; i++) {
        buf_clear(&out);
        CHECK_INT(pack_get(&s, 3, id, items[i].off, (int64_t)items[i].doc.n,
                      sha256_of(items[i].doc), &out),
            ERR_OK);
        CHECK_STR(buf_view(&out), items[i].doc);
    }
    buf_clear(&out);
    struct sha256 hash = sha256_of(items[1].doc);
    CHECK_INT(pack_get(&s, 4, id, 2, 12, hash, &out), ERR_NOT_FOUND); /* another tenant */
    CHECK_INT(pack_get(&s, 3, id, 3, 12, hash, &out), ERR_CORRUPT);
    CHECK_INT(pack_get(&s, 3, id, 2, 11, hash, &out), ERR_CORRUPT);
    CHECK_INT(pack_get(&s, 3, id, 2, 0, hash, &out), ERR_CORRUPT);
    CHECK_INT(pack_get(&s, 3, id, 2, -1, hash, &out), ERR_CORRUPT);
    CHECK_INT(pack_get(&s, 3, id, -2, 12, hash, &out), ERR_CORRUPT);
    CHECK_INT(pack_get(&s, 3, id, 14, 12, hash, &out), ERR_CORRUPT); /* beyond the end */
    CHECK_INT((int64_t)out.n, 0);
    buf_release(&out);
    blob_close(&s);
}

/* The path of the pack's only file. */
static void pack_path(struct pack_id id, char *out, size_t size)
{
    char uuid[37], hex[33];
    size_t n = 0;

    pack_id_print(id, uuid);
    for (const char *p = uuid; *p; p++)
        if (*p != '-')
            hex[n++] = *p;
    hex[n] = '\0';
    snprintf(out, size, "%s/packs/1/%.2s/%s", store_dir, hex, hex);
}

TEST(every_flipped_bit_is_noticed)
{
    struct blob_store s;
    struct pack_item items[] = {{STR("[1]"), 0}, {STR("[{\"id\":\"region\"}]"), 0}};
    struct sha256 hash = sha256_of(items[1].doc);
    struct pack_id id;
    char path[200];
    struct buf out;

    if (!store_is_fs())
        t_skip("only the bytes of a file can be flipped from here");
    store_fresh(&s);
    buf_init(&out, 100);
    REQUIRE(pack_put(&s, 1, items, 2, &id) == ERR_OK);
    pack_path(id, path, sizeof(path));
    int fd = open(path, O_RDWR);
    REQUIRE(fd >= 0);
    for (int64_t i = 0; i < (int64_t)items[1].doc.n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            char c = items[1].doc.p[i], bad = (char)(c ^ (1 << bit));
            REQUIRE(pwrite(fd, &bad, 1, items[1].off + i) == 1);
            CHECK_INT(pack_get(&s, 1, id, items[1].off, (int64_t)items[1].doc.n, hash, &out),
                ERR_CORRUPT);
            REQUIRE(pwrite(fd, &c, 1, items[1].off + i) == 1);
        }
    }
    CHECK_INT((int64_t)out.n, 0);
    CHECK_INT(pack_get(&s, 1, id, items[1].off, (int64_t)items[1].doc.n, hash, &out), ERR_OK);
    REQUIRE(ftruncate(fd, 10) == 0);
    CHECK_INT(pack_get(&s, 1, id, items[1].off, (int64_t)items[1].doc.n, hash, &out), ERR_CORRUPT);
    close(fd);
    buf_release(&out);
    blob_close(&s);
}

TEST(too_big)
{
    struct blob_store s;
    char byte = 'x';
    struct pack_item items[] = {{{&byte, BUF_MAX_PACK}, 0}, {{&byte, 1}, 0}};
    struct pack_id id;

    store_fresh(&s);
    CHECK_INT(pack_put(&s, 1, items, 2, &id), ERR_FULL); /* refused before a byte is read */
    blob_close(&s);
}

TEST(ids)
{
    struct pack_id id = {{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98,
        0x76, 0x54, 0x32, 0x10}};
    static const char *const bad[] = {"", "01234567-89ab-cdef-fedc-ba987654321",
        "01234567-89ab-cdef-fedc-ba98765432100", "0123456789ab-cdef-fedc-ba9876543210---",
        "01234567-89ab-cdef-fedc-ba987654321g", "01234567-89ab-cdef-fedcba-9876543210",
        "0-234567-89ab-cdef-fedc-ba9876543210"};
    struct pack_id back;
    char text[37];

    pack_id_print(id, text);
    CHECK_STR(str_of(text), STR("01234567-89ab-cdef-fedc-ba9876543210"));
    CHECK(pack_id_parse(str_of(text), &back) && memcmp(&back, &id, sizeof(id)) == 0);
    CHECK(pack_id_parse(STR("01234567-89AB-CDEF-FEDC-BA9876543210"), &back));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!pack_id_parse(str_of(bad[i]), &back));
}
