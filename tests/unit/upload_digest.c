/* The digest of a part, as RFC 9530 has it: one spelling, and nothing else. */
#include "annotate-server/api/uploads.h"

#include <stdlib.h>

#include "t.h"

/* SHA-256 of nothing. */
#define GOOD "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static const struct {
    const char *header;
    bool good;
} headers[] = {
    {"sha-256=:" GOOD ":", true},
    {" sha-256=:" GOOD ": ", true},
    {"md5=:AAAA:,sha-256=:" GOOD ":", true},
    {"sha-512=:AAAA:,  sha-256=:" GOOD ":,unixsum=:AA==:", true},
    {"", false},
    {"sha-256", false},
    {"sha-256=", false},
    {"sha-256=:", false},
    {"sha-256=::", false},
    {"sha-256=" GOOD, false},
    {"sha-256=:" GOOD, false},
    {"SHA-256=:" GOOD ":", false},
    {"sha-256 =:" GOOD ":", false},
    {"sha-256=:" GOOD ":;x=1", false},
    {"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=:", false}, /* spare bits */
    {"sha-256=:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=:", false}, /* base64url */
    {"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==:", false},
    {"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUx:", false},
    {"sha-512=:" GOOD ":", false},
    {"sha-256=:AAAA:,sha-256=:" GOOD ":", false},
};

TEST(a_part_has_the_digest_of_the_rfc)
{
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        size_t n = strlen(headers[i].header);
        char *exact = malloc(n + 1); /* so that a byte too far is caught */
        struct sha256 hash;
        memcpy(exact, headers[i].header, n);
        CHECK(upload_digest((struct str){exact, n}, &hash) == headers[i].good);
        if (headers[i].good)
            CHECK(sha256_eq(hash, sha256_of(STR(""))));
        free(exact);
    }
    struct sha256 hash;
    CHECK(!upload_digest((struct str){NULL, 0}, &hash));
}
