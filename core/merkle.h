/* Merkle trees as in RFC 6962 (leaf 0x00, node 0x01, the empty tree is SHA-256 of nothing), built
 * as the leaves stream by, and the two-level tree whose root is the identity of a release. Nothing
 * here allocates. */
#ifndef CORE_MERKLE_H
#define CORE_MERKLE_H

#include "base/err.h"
#include "base/hash.h"

enum { MERKLE_LEVELS = 64 };

/* The tree over the leaves added so far: full[i] is a complete subtree of 2^i leaves, there when
 * bit i of size is set. */
struct merkle {
    uint64_t size;
    struct sha256 full[MERKLE_LEVELS];
};

struct sha256 merkle_leaf(struct str data);
struct sha256 merkle_node(struct sha256 left, struct sha256 right);

void merkle_init(struct merkle *m);
/* `leaf` is a hash already: merkle_leaf(), or the root of a lower tree. */
void merkle_add(struct merkle *m, struct sha256 leaf);
/* The root so far; more may be added afterwards. */
struct sha256 merkle_root(const struct merkle *m);

/* The inclusion proof of leaves[index] among n leaf hashes, lowest sibling first; returns its
 * length. index < n. */
size_t merkle_prove(
    const struct sha256 *leaves, size_t n, size_t index, struct sha256 path[MERKLE_LEVELS]);
/* True when `path` leads from leaf number `index` of a tree of `size` leaves to `root`. */
bool merkle_verify(struct sha256 leaf, uint64_t index, uint64_t size, const struct sha256 *path,
    size_t npath, struct sha256 root);

/* The tree of a release: items fall into 4096 buckets by the first 12 bits of SHA-256(key); the
 * hash of a bucket is the tree over merkle_leaf(line) of its items in the byte order of their keys;
 * the root is the tree over the 4096 bucket hashes, taken as they are. The root does not depend on
 * the order of work, and two releases are compared bucket by bucket. */
enum { RELEASE_BUCKETS = 4096, RELEASE_KEY_MAX = 1024 };

struct release_tree {
    struct merkle top, bucket;
    struct sha256 *buckets; /* borrowed, may be NULL: gets the RELEASE_BUCKETS bucket hashes */
    uint64_t items;
    unsigned current; /* the bucket being filled */
    size_t nlast;     /* the key added last, to check the order */
    char last[RELEASE_KEY_MAX];
};

unsigned release_bucket(struct str key);
/* `buckets` must live as long as the tree is built. */
void release_tree_init(struct release_tree *t, struct sha256 *buckets);
/* Items come sorted by (release_bucket(key), key bytes). ERR_INVALID for one out of order or twice,
 * ERR_TOO_LARGE for a key over RELEASE_KEY_MAX; the tree is unchanged then. */
enum err release_tree_add(struct release_tree *t, struct str key, struct str line) MUSTCHECK;
/* Closes the remaining buckets; nothing may be added afterwards. */
struct sha256 release_tree_root(struct release_tree *t);

#endif
