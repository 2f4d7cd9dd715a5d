/* Signature Version 4 against AWS's own numbers: the test suite's vectors and the examples of the
 * S3 documentation. */
#include "storage/sigv4.h"

#include <stdlib.h>

#include "t.h"

#define EMPTY STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

enum { AT_2015 = 1440938160, AT_2013 = 1369353600 };

static struct sigv4_scope suite_scope(void)
{
    return (struct sigv4_scope){STR("AKIDEXAMPLE"), STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        STR(""), STR("us-east-1"), STR("service"), AT_2015};
}

static struct sigv4_scope s3_scope(void)
{
    return (struct sigv4_scope){STR("AKIAIOSFODNN7EXAMPLE"),
        STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), STR(""), STR("us-east-1"), STR("s3"),
        AT_2013};
}

/* The signature at the end of the header Authorization. */
static void check_signature(struct sigv4_scope scope, struct sigv4_request r, const char *want)
{
    struct buf out;

    buf_init(&out, 8192);
    sigv4_authorization(&out, &scope, &r);
    REQUIRE(buf_err(&out) == ERR_OK && out.n > SHA256_HEX);
    CHECK_STR(((struct str){out.p + out.n - SHA256_HEX, SHA256_HEX}), str_of(want));
    buf_release(&out);
}

#define NONE                                                                                       \
    {                                                                                              \
        {                                                                                          \
            STR(""), STR("")                                                                       \
        }                                                                                          \
    }
#define HOST                                                                                       \
    {                                                                                              \
        STR("host"), STR("example.amazonaws.com")                                                  \
    }
#define DATE                                                                                       \
    {                                                                                              \
        STR("x-amz-date"), STR("20150830T123600Z")                                                 \
    }

TEST(aws_suite_paths_and_queries)
{
    static const struct sigv4_pair headers[] = {HOST, DATE};
    static const struct {
        const char *method, *path, *signature;
        struct sigv4_pair query[3];
        size_t nquery;
    } rows[] = {
        {"GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", NONE, 0},
        {"POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", NONE, 0},
        {"GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f", NONE, 0},
        {"GET", "/\xe1\x88\xb4", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
            NONE, 0},
        {"GET", "/example space/",
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741", NONE, 0},
        {"GET", "/", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            {{STR("Param2"), STR("value2")}, {STR("Param1"), STR("value1")}}, 2},
        {"GET", "/", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
            {{STR("\xe1\x88\xb4"), STR("bar")}}, 1},
        {"GET", "/", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
            {{STR("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
                STR("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")}},
            1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_signature(suite_scope(),
            (struct sigv4_request){.method = str_of(rows[i].method),
                .path = str_of(rows[i].path),
                .query = rows[i].query,
                .nquery = rows[i].nquery,
                .header = headers,
                .nheader = 2,
                .payload = EMPTY},
            rows[i].signature);
}

TEST(aws_suite_headers)
{
    static const struct {
        const char *signature, *method;
        struct sigv4_pair header[6];
        size_t n;
    } rows[] = {
        {"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736", "GET",
            {HOST, {STR("my-header1"), STR(" value1")}, {STR("my-header2"), STR(" \"a   b   c\"")},
                DATE},
            4},
        {"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea", "GET",
            {HOST, {STR("my-header1"), STR("value2")}, {STR("my-header1"), STR("value2")},
                {STR("my-header1"), STR("value1")}, DATE},
            5},
        {"08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01", "GET",
            {HOST, {STR("my-header1"), STR("value4")}, {STR("my-header1"), STR("value1")},
                {STR("my-header1"), STR("value3")}, {STR("my-header1"), STR("value2")}, DATE},
            6},
        {"c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c", "POST",
            {DATE, {STR("my-header1"), STR("value1")}, HOST}, 3},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_signature(suite_scope(),
            (struct sigv4_request){.method = str_of(rows[i].method),
                .path = STR("/"),
                .header = rows[i].header,
                .nheader = rows[i].n,
                .payload = EMPTY},
            rows[i].signature);
}

#define S3_HOST                                                                                    \
    {                                                                                              \
        STR("host"), STR("examplebucket.s3.amazonaws.com")                                         \
    }
#define S3_DATE                                                                                    \
    {                                                                                              \
        STR("x-amz-date"), STR("20130524T000000Z")                                                 \
    }
#define S3_HASH                                                                                    \
    {                                                                                              \
        STR("x-amz-content-sha256"), EMPTY                                                         \
    }

TEST(s3_get_with_range)
{
    const struct sigv4_pair headers[] = {
        S3_HOST, {STR("range"), STR("bytes=0-9")}, S3_HASH, S3_DATE};

    check_signature(s3_scope(),
        (struct sigv4_request){.method = STR("GET"),
            .path = STR("/test.txt"),
            .header = headers,
            .nheader = 4,
            .payload = EMPTY},
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(s3_put)
{
    struct str hash = STR("44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    const struct sigv4_pair headers[] = {{STR("date"), STR("Fri, 24 May 2013 00:00:00 GMT")},
        S3_HOST, {STR("x-amz-content-sha256"), hash}, S3_DATE,
        {STR("x-amz-storage-class"), STR("REDUCED_REDUNDANCY")}};

    check_signature(s3_scope(),
        (struct sigv4_request){.method = STR("PUT"),
            .path = STR("/test$file.text"),
            .header = headers,
            .nheader = 5,
            .payload = hash},
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(s3_bucket)
{
    const struct sigv4_pair headers[] = {S3_HOST, S3_HASH, S3_DATE};
    const struct sigv4_pair lifecycle[] = {{STR("lifecycle"), STR("")}};
    const struct sigv4_pair list[] = {{STR("prefix"), STR("J")}, {STR("max-keys"), STR("2")}};
    struct sigv4_request r = {.method = STR("GET"),
        .path = STR("/"),
        .query = lifecycle,
        .nquery = 1,
        .header = headers,
        .nheader = 3,
        .payload = EMPTY};

    check_signature(
        s3_scope(), r, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    r.query = list;
    r.nquery = 2;
    check_signature(
        s3_scope(), r, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(s3_presigned_get)
{
    const struct sigv4_pair headers[] = {S3_HOST};
    struct sigv4_request r = {.method = STR("GET"),
        .path = STR("/test.txt"),
        .header = headers,
        .nheader = 1,
        .payload = SIGV4_UNSIGNED};
    struct sigv4_scope scope = s3_scope();
    struct buf out;

    buf_init(&out, 8192);
    sigv4_presign(&out, &scope, &r, 86400);
    CHECK_STR(buf_view(&out),
        STR("X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
    buf_clear(&out);
    scope.token = STR("a/b+c==");
    sigv4_presign(&out, &scope, &r, 60);
    CHECK(buf_view(&out).n && strstr(out.p, "&X-Amz-Security-Token=a%2Fb%2Bc%3D%3D&") != NULL);
    buf_release(&out);
}

TEST(encoding)
{
    static const struct {
        const char *raw, *all, *path;
    } rows[] = {
        {"", "", ""},
        {"a b+c", "a%20b%2Bc", "a%20b%2Bc"},
        {"~-._", "~-._", "~-._"},
        {"/x//y/../z", "%2Fx%2F%2Fy%2F..%2Fz", "/x//y/../z"},
        {"%41(c)*'!", "%2541%28c%29%2A%27%21", "%2541%28c%29%2A%27%21"},
        {"\xc3\xa9\xf0\x9f\x8d\x8e\x7f\x01", "%C3%A9%F0%9F%8D%8E%7F%01",
            "%C3%A9%F0%9F%8D%8E%7F%01"},
    };
    struct buf out;

    buf_init(&out, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&out);
        sigv4_encode(&out, str_of(rows[i].raw), false);
        CHECK_STR(buf_view(&out), str_of(rows[i].all));
        buf_clear(&out);
        sigv4_encode(&out, str_of(rows[i].raw), true);
        CHECK_STR(buf_view(&out), str_of(rows[i].path));
    }
    buf_release(&out);
}

/* Sorted by what is sent, not by what was meant: "a=" < "a-" when encoded names are compared. */
TEST(query_order)
{
    const struct sigv4_pair query[] = {{STR("uploads"), STR("")}, {STR("b"), STR("2")},
        {STR("b"), STR("10")}, {STR("B"), STR("x y")}, {STR("a-"), STR("")}, {STR("a"), STR("~")},
        {STR("\xc3\xa9"), STR("+")}};
    struct buf out;

    buf_init(&out, 1000);
    sigv4_query(&out, query, ARRAY_LEN(query));
    CHECK_STR(buf_view(&out), STR("%C3%A9=%2B&B=x%20y&a=~&a-=&b=10&b=2&uploads="));
    buf_clear(&out);
    sigv4_query(&out, query, 0);
    CHECK_STR(buf_view(&out), STR(""));
    buf_release(&out);
}

TEST(time_of_the_signature)
{
    char text[17];

    sigv4_time(AT_2013, text, sizeof(text));
    CHECK_STR(str_of(text), STR("20130524T000000Z"));
    sigv4_time(AT_2015, text, sizeof(text));
    CHECK_STR(str_of(text), STR("20150830T123600Z"));
}
