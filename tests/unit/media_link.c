/* Signed links to media: good for what they say and nothing else, until they end; and what a task's
 * data names. */
#include "annotate-server/auth/media_link.h"

#include <stdlib.h>

#include "annotate-server/api/media.h"
#include "base/clock.h"
#include "keys.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct media_link sample = {.tenant = 7, .expires = INT64_MAX / 2};

static void two_keys(struct key_set *keys)
{
    unsigned char secret[KEY_MIN_BYTES];

    key_set_init(keys);
    for (int i = 0; i < 2; i++) {
        random_bytes(secret, sizeof(secret));
        CHECK_INT(add_secret(keys, secret, sizeof(secret), 0600), ERR_OK);
    }
}

/* The signature of a link by the first key. */
static void signature(const struct key_set *keys, const struct media_link *l, char out[65])
{
    struct buf b;

    buf_init(&b, BUF_MAX_LINE);
    CHECK_INT(media_link_print(keys, l, &b), ERR_OK);
    const char *at = b.p ? strstr(b.p, "&sig=") : NULL;
    CHECK(at != NULL && strlen(at) == 69);
    snprintf(out, 65, "%s", at ? at + 5 : "");
    buf_release(&b);
}

TEST(a_link_is_good_for_itself_alone)
{
    struct key_set keys;
    struct media_link others[4] = {sample, sample, sample, sample};
    char sig[65];

    two_keys(&keys);
    signature(&keys, &sample, sig);
    CHECK(media_link_good(&keys, &sample, str_of(sig)));
    others[0].tenant++;
    others[1].expires++;
    others[2].attachment = true;
    others[3].hash.b[31] = 1;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        CHECK(!media_link_good(&keys, &others[i], str_of(sig)));
    for (size_t i = 0; i < SHA256_HEX; i++) {
        char was = sig[i];
        sig[i] = was == '0' ? '1' : '0';
        CHECK(!media_link_good(&keys, &sample, str_of(sig)));
        sig[i] = was;
    }
    CHECK(!media_link_good(&keys, &sample, (struct str){sig, 63}));
    CHECK(!media_link_good(&keys, &sample, STR("")));
    CHECK(!media_link_good(&keys, &sample, (struct str){NULL, 0}));
    key_set_release(&keys);
}

TEST(a_link_ends)
{
    struct key_set keys;
    struct media_link over = sample;
    char sig[65];

    two_keys(&keys);
    over.expires = clock_unix();
    signature(&keys, &over, sig);
    CHECK(!media_link_good(&keys, &over, str_of(sig)));
    over.expires += 60;
    signature(&keys, &over, sig);
    CHECK(media_link_good(&keys, &over, str_of(sig)));
    int64_t end = media_link_end(1800);
    CHECK(end >= clock_unix() + 1800 + MEDIA_LINK_SPARE_S - 1 && end % MEDIA_LINK_ROUND_S == 0);
    key_set_release(&keys);
}

TEST(a_link_outlives_the_rotation_of_its_key)
{
    struct key_set keys, swapped, none = {.count = 0};
    char sig[65];
    struct buf b;

    two_keys(&keys);
    signature(&keys, &sample, sig);
    swapped = keys;
    swapped.rows[0] = keys.rows[1];
    swapped.rows[1] = keys.rows[0];
    CHECK(media_link_good(&swapped, &sample, str_of(sig)));
    swapped.count = 1; /* the old key has gone */
    CHECK(!media_link_good(&swapped, &sample, str_of(sig)));
    CHECK(!media_link_good(&none, &sample, str_of(sig)));
    buf_init(&b, BUF_MAX_LINE);
    CHECK_INT(media_link_print(&none, &sample, &b), ERR_INTERNAL);
    buf_release(&b);
    key_set_release(&keys);
}

static const struct {
    const char *text;
    size_t n;
} texts[] = {
    {"", 0},
    {"{\"image\":\"/v1/assets/" HASH "\"}", 1},
    {"{\"image\":\"\\/v1\\/assets\\/" HASH "\"}", 1},
    {"{\"a\":\"/v1/assets/" HASH "\",\"b\":[\"/v1/assets/" HASH "\"]}", 2},
    {"{\"html\":\"<img src='/v1/assets/" HASH "'>\"}", 1},
    {"{\"image\":\"https://other.example/v1/assets/" HASH "?x=1\"}", 1},
    {"/v1/assets/" HASH "0", 0},
    {"/v1/assets/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", 0},
    {"/v1/assets/", 0},
    {"/v1/assets/0123", 0},
    {"/v1//v1/assets/" HASH, 1},
    {"/v1/assets//v1/assets/" HASH, 1},
    {"/v2/assets/" HASH, 0},
    {"/////////", 0},
};

TEST(media_are_found_in_data)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (size_t cut = 0; cut <= strlen(texts[i].text); cut++) {
            size_t n = strlen(texts[i].text) - cut;
            char *exact = malloc(n + 1); /* so that a byte too far is caught */
            memcpy(exact, texts[i].text, n);
            size_t found = media_count((struct str){exact, n});
            CHECK(cut ? found <= 2 : found == texts[i].n);
            free(exact);
        }
}
