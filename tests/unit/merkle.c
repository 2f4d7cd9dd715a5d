/* Merkle trees against RFC 6962's published test vectors (those of certificate-transparency's
 * merkle_tree_test), every proof of every small tree, and the release tree. */
#include "core/merkle.h"

#include <stdio.h>
#include <stdlib.h>

#include "t.h"

#define LEAF(lit)                                                                                  \
    {                                                                                              \
        lit, sizeof(lit) - 1                                                                       \
    }

static const struct str leaves[] = {
    LEAF(""),
    LEAF("\x00"),
    LEAF("\x10"),
    LEAF("\x20\x21"),
    LEAF("\x30\x31"),
    LEAF("\x40\x41\x42\x43"),
    LEAF("\x50\x51\x52\x53\x54\x55\x56\x57"),
    LEAF("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
};

/* The root after each of the leaves above; the first is the empty tree. */
static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void check_hash(struct sha256 h, const char *want)
{
    char hex[SHA256_HEX + 1];

    sha256_hex(h, hex);
    CHECK_STR(str_of(hex), str_of(want));
}

TEST(roots_are_those_of_rfc_6962)
{
    struct merkle m;

    merkle_init(&m);
    check_hash(merkle_root(&m), roots[0]);
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        merkle_add(&m, merkle_leaf(leaves[i]));
        check_hash(merkle_root(&m), roots[i + 1]);
        CHECK_INT(m.size, i + 1);
    }
}

static void check_path(size_t n, size_t index, const char *const *want, size_t nwant)
{
    struct sha256 hashes[ARRAY_LEN(leaves)], path[MERKLE_LEVELS], root;

    for (size_t i = 0; i < n; i++)
        hashes[i] = merkle_leaf(leaves[i]);
    size_t npath = merkle_prove(hashes, n, index, path);
    CHECK_INT(npath, nwant);
    for (size_t i = 0; i < npath && i < nwant; i++)
        check_hash(path[i], want[i]);
    REQUIRE(sha256_parse(str_of(roots[n]), &root));
    CHECK(merkle_verify(hashes[index], index, n, path, npath, root));
}

TEST(inclusion_proofs_are_those_of_rfc_6962)
{
    static const char *const of_0_in_8[] = {
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"};
    static const char *const of_5_in_8[] = {
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"};
    static const char *const of_2_in_3[] = {
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"};
    static const char *const of_1_in_5[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"};

    check_path(1, 0, NULL, 0);
    check_path(8, 0, of_0_in_8, ARRAY_LEN(of_0_in_8));
    check_path(8, 5, of_5_in_8, ARRAY_LEN(of_5_in_8));
    check_path(3, 2, of_2_in_3, ARRAY_LEN(of_2_in_3));
    check_path(5, 1, of_1_in_5, ARRAY_LEN(of_1_in_5));
}

/* RFC 6962 §2.1 word for word: the streaming build must agree with the definition. */
static struct sha256 by_definition(const struct sha256 *hashes, size_t n)
{
    size_t k = 1;

    if (n == 0)
        return sha256_of(STR(""));
    if (n == 1)
        return hashes[0];
    while (k * 2 < n)
        k *= 2;
    return merkle_node(by_definition(hashes, k), by_definition(hashes + k, n - k));
}

enum { SMALL = 70 };

TEST(every_proof_of_small_trees_holds_and_no_other)
{
    struct sha256 hashes[SMALL], path[MERKLE_LEVELS];

    for (size_t i = 0; i < SMALL; i++) {
        char c = (char)i;
        hashes[i] = merkle_leaf((struct str){&c, 1});
    }
    for (size_t n = 1; n <= SMALL; n++) {
        struct sha256 root = by_definition(hashes, n);
        struct merkle m;
        merkle_init(&m);
        for (size_t i = 0; i < n; i++)
            merkle_add(&m, hashes[i]);
        CHECK(sha256_eq(merkle_root(&m), root));
        for (size_t i = 0; i < n; i++) {
            size_t k = merkle_prove(hashes, n, i, path);
            CHECK(merkle_verify(hashes[i], i, n, path, k, root));
            CHECK(!merkle_verify(hashes[(i + 1) % SMALL], i, n, path, k, root));
            CHECK(!merkle_verify(hashes[i], i ? i - 1 : n, n, path, k, root));
            CHECK(k == 0 || !merkle_verify(hashes[i], i, n, path, k - 1, root));
            path[k] = root;
            CHECK(!merkle_verify(hashes[i], i, n, path, k + 1, root));
            if (k) {
                path[k - 1].b[7] ^= 1;
                CHECK(!merkle_verify(hashes[i], i, n, path, k, root));
            }
        }
    }
}

TEST(verify_survives_odd_numbers)
{
    struct sha256 h = merkle_leaf(STR("x")), path[MERKLE_LEVELS] = {{{0}}};

    CHECK(!merkle_verify(h, 0, 0, path, 0, h));
    CHECK(merkle_verify(h, 0, 1, path, 0, h));
    CHECK(!merkle_verify(h, 0, UINT64_MAX, path, 0, h));
    CHECK(!merkle_verify(h, UINT64_MAX - 1, UINT64_MAX, path, MERKLE_LEVELS, h));
    CHECK(!merkle_verify(h, UINT64_MAX, UINT64_MAX, path, 3, h));
}

struct item {
    char key[24], line[64];
    unsigned bucket;
};

static int item_cmp(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    return strcmp(x->key, y->key);
}

enum { ITEMS = 6000 };

static struct item *make_items(void)
{
    struct item *items = calloc(ITEMS, sizeof(*items));

    for (int i = 0; items && i < ITEMS; i++) {
        snprintf(items[i].key, sizeof(items[i].key), "task-%d", i);
        snprintf(items[i].line, sizeof(items[i].line), "{\"k\":\"task-%d\"}", i);
        items[i].bucket = release_bucket(str_of(items[i].key));
    }
    if (items)
        qsort(items, ITEMS, sizeof(*items), item_cmp);
    return items;
}

/* The root once more, from stored leaves and the definition. */
static struct sha256 release_by_definition(const struct item *items, struct sha256 *buckets)
{
    struct sha256 lines[ITEMS];
    int at = 0;

    for (unsigned b = 0; b < RELEASE_BUCKETS; b++) {
        size_t n = 0;
        while (at < ITEMS && items[at].bucket == b)
            lines[n++] = merkle_leaf(str_of(items[at++].line));
        buckets[b] = by_definition(lines, n);
    }
    return by_definition(buckets, RELEASE_BUCKETS);
}

TEST(release_root_is_the_tree_of_its_buckets)
{
    static struct sha256 buckets[RELEASE_BUCKETS], want[RELEASE_BUCKETS];
    struct sha256 path[MERKLE_LEVELS];
    struct item *items = make_items();
    struct release_tree t;

    REQUIRE(items);
    release_tree_init(&t, buckets);
    for (int i = 0; i < ITEMS; i++)
        CHECK(release_tree_add(&t, str_of(items[i].key), str_of(items[i].line)) == ERR_OK);
    struct sha256 root = release_tree_root(&t);
    CHECK(sha256_eq(root, release_by_definition(items, want)));
    CHECK(memcmp(buckets, want, sizeof(want)) == 0);
    CHECK_INT(t.items, ITEMS);
    size_t k = merkle_prove(buckets, RELEASE_BUCKETS, items[9].bucket, path);
    CHECK_INT(k, 12);
    CHECK(merkle_verify(buckets[items[9].bucket], items[9].bucket, RELEASE_BUCKETS, path, k, root));

    /* One changed line changes its bucket and the root, nothing else. */
    static struct sha256 other[RELEASE_BUCKETS];
    release_tree_init(&t, other);
    for (int i = 0; i < ITEMS; i++)
        CHECK(release_tree_add(&t, str_of(items[i].key),
                  i == 4000 ? STR("changed") : str_of(items[i].line)) == ERR_OK);
    CHECK(!sha256_eq(root, release_tree_root(&t)));
    for (unsigned b = 0; b < RELEASE_BUCKETS; b++)
        CHECK(sha256_eq(buckets[b], other[b]) == (b != items[4000].bucket));
    free(items);
}

TEST(release_order_is_enforced)
{
    struct item *items = make_items();
    struct release_tree t;
    static char long_key[RELEASE_KEY_MAX + 1];

    REQUIRE(items);
    release_tree_init(&t, NULL);
    struct str first = str_of(items[100].key), earlier = str_of(items[0].key);
    CHECK_INT(release_tree_add(&t, first, STR("1")), ERR_OK);
    CHECK_INT(release_tree_add(&t, first, STR("1")), ERR_INVALID);
    CHECK_INT(release_tree_add(&t, earlier, STR("1")), ERR_INVALID);
    CHECK_INT(
        release_tree_add(&t, (struct str){long_key, sizeof(long_key)}, STR("1")), ERR_TOO_LARGE);
    CHECK_INT(t.items, 1);
    CHECK_INT(release_tree_add(&t, str_of(items[5999].key), STR("1")), ERR_OK);
    free(items);
}

TEST(empty_release_has_a_root)
{
    struct release_tree t;
    struct sha256 level = sha256_of(STR(""));

    release_tree_init(&t, NULL);
    for (int i = 0; i < 12; i++) /* 4096 equal buckets: a perfect tree */
        level = merkle_node(level, level);
    CHECK(sha256_eq(release_tree_root(&t), level));
}
