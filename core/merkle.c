/* Owns Merkle trees over SHA-256. Never stores leaves: what it keeps is log2 n hashes. */
#include "core/merkle.h"

/* RFC 6962: a leaf can never be taken for a node. */
static const struct str leaf_prefix = {"\x00", 1}, node_prefix = {"\x01", 1};

static struct str hash_bytes(const struct sha256 *h)
{
    return (struct str){(const char *)h->b, SHA256_LEN};
}

struct sha256 merkle_leaf(struct str data)
{
    return sha256_parts((struct str[]){leaf_prefix, data}, 2);
}

struct sha256 merkle_node(struct sha256 left, struct sha256 right)
{
    return sha256_parts((struct str[]){node_prefix, hash_bytes(&left), hash_bytes(&right)}, 3);
}

void merkle_init(struct merkle *m)
{
    m->size = 0;
}

/* Adds 1 to a binary number whose digits are complete subtrees: a carry joins two of them. */
void merkle_add(struct merkle *m, struct sha256 leaf)
{
    int i = 0;

    for (; m->size >> i & 1; i++)
        leaf = merkle_node(m->full[i], leaf);
    m->full[i] = leaf;
    m->size++;
}

struct sha256 merkle_root(const struct merkle *m)
{
    struct sha256 root;
    int i = 0;

    if (m->size == 0)
        return sha256_of(STR(""));
    while (!(m->size >> i & 1))
        i++;
    root = m->full[i];
    while (++i < MERKLE_LEVELS)
        if (m->size >> i & 1)
            root = merkle_node(m->full[i], root);
    return root;
}

static struct sha256 root_of(const struct sha256 *leaves, size_t n)
{
    struct merkle m;

    merkle_init(&m);
    for (size_t i = 0; i < n; i++)
        merkle_add(&m, leaves[i]);
    return merkle_root(&m);
}

/* The largest power of two below n, n > 1: where RFC 6962 divides a tree. */
static size_t split_point(size_t n)
{
    size_t k = 1;

    while (k < n - k)
        k *= 2;
    return k;
}

/* RFC 6962 §2.1.1, walked from the root down: the siblings come highest first. */
size_t merkle_prove(
    const struct sha256 *leaves, size_t n, size_t index, struct sha256 path[MERKLE_LEVELS])
{
    size_t depth = 0;

    BUG_ON(index >= n);
    while (n > 1) {
        size_t k = split_point(n);
        BUG_ON(depth == MERKLE_LEVELS);
        if (index < k) {
            path[depth++] = root_of(leaves + k, n - k);
            n = k;
        } else {
            path[depth++] = root_of(leaves, k);
            leaves += k;
            index -= k;
            n -= k;
        }
    }
    for (size_t i = 0; i < depth / 2; i++) {
        struct sha256 h = path[i];
        path[i] = path[depth - 1 - i];
        path[depth - 1 - i] = h;
    }
    return depth;
}

/* RFC 9162 §2.1.3.2: `index` and `last` are the positions of leaf and last leaf, level by level. */
bool merkle_verify(struct sha256 leaf, uint64_t index, uint64_t size, const struct sha256 *path,
    size_t npath, struct sha256 root)
{
    struct sha256 h = leaf;

    if (index >= size)
        return false;
    uint64_t last = size - 1;
    for (size_t i = 0; i < npath; i++) {
        if (last == 0)
            return false;
        if ((index & 1) || index == last) {
            h = merkle_node(path[i], h);
            while (!(index & 1) && index != 0) {
                index >>= 1;
                last >>= 1;
            }
        } else {
            h = merkle_node(h, path[i]);
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && sha256_eq(h, root);
}

unsigned release_bucket(struct str key)
{
    return (unsigned)(sha256_u64(sha256_of(key)) >> 52);
}

void release_tree_init(struct release_tree *t, struct sha256 *buckets)
{
    merkle_init(&t->top);
    merkle_init(&t->bucket);
    t->buckets = buckets;
    t->items = 0;
    t->current = 0;
    t->nlast = 0;
}

static void close_bucket(struct release_tree *t)
{
    struct sha256 h = merkle_root(&t->bucket);

    if (t->buckets)
        t->buckets[t->current] = h;
    merkle_add(&t->top, h);
    merkle_init(&t->bucket);
    t->current++;
}

enum err release_tree_add(struct release_tree *t, struct str key, struct str line)
{
    unsigned bucket = release_bucket(key);

    if (key.n > RELEASE_KEY_MAX)
        return ERR_TOO_LARGE;
    if (bucket < t->current || (bucket == t->current && t->bucket.size > 0 &&
                                   str_cmp(key, (struct str){t->last, t->nlast}) <= 0))
        return ERR_INVALID;
    while (t->current < bucket)
        close_bucket(t);
    merkle_add(&t->bucket, merkle_leaf(line));
    t->items++;
    t->nlast = key.n;
    if (key.n)
        memcpy(t->last, key.p, key.n);
    return ERR_OK;
}

struct sha256 release_tree_root(struct release_tree *t)
{
    while (t->current < RELEASE_BUCKETS)
        close_bucket(t);
    return merkle_root(&t->top);
}
