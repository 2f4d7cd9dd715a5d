/* Owns which addresses a user-supplied URL may reach: public unicast only. Never resolves names:
 * it sees what the socket is about to connect to. */
#include "io/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct range {
    unsigned char net[16];
    int bits;
};

/* IANA's special-purpose registries: nothing here is a public web server. */
static const struct range v4[] = {
    {{0}, 8},                                  /* this network, 0.0.0.0 = localhost */
    {{10}, 8},                                 /* private */
    {{100, 64}, 10},                           /* carrier NAT */
    {{127}, 8},                                /* loopback */
    {{169, 254}, 16},                          /* link-local, cloud metadata */
    {{172, 16}, 12},                           /* private */
    {{192, 0, 0}, 24},                         /* protocol assignments */
    {{192, 0, 2}, 24},                         /* TEST-NET-1 */
    {{192, 88, 99}, 24},                       /* 6to4 relays */
    {{192, 168}, 16},                          /* private */
    {{198, 18}, 15},                           /* benchmarks */
    {{198, 51, 100}, 24}, {{203, 0, 113}, 24}, /* TEST-NET-2, -3 */
    {{224}, 3},                                /* multicast, reserved, broadcast */
};

/* Of IPv6 only 2000::/3 is public; these lie inside it and are not, or hide an IPv4 address. */
static const struct range v6_public = {{0x20}, 3};
static const struct range v6[] = {
    {{0x20, 0x01, 0x00}, 23},             /* protocol assignments, Teredo 2001::/32 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},       /* documentation */
    {{0x20, 0x02}, 16},                   /* 6to4 */
    {{0x3f, 0xff}, 20},                   /* documentation */
    {{0x26, 0x20, 0x00, 0x4f, 0x80}, 48}, /* AS112 */
};

static bool inside(const unsigned char *addr, const struct range *r)
{
    int whole = r->bits / 8, rest = r->bits % 8;

    if (memcmp(addr, r->net, (size_t)whole) != 0)
        return false;
    return rest == 0 || (addr[whole] ^ r->net[whole]) >> (8 - rest) == 0;
}

static bool inside_any(const unsigned char *addr, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (inside(addr, &r[i]))
            return true;
    return false;
}

bool http_guard_allows(const struct sockaddr *addr)
{
    /* Copied: the caller's storage need not be aligned for the wider type. */
    if (addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, addr, sizeof(in));
        return !inside_any((const unsigned char *)&in.sin_addr, v4, ARRAY_LEN(v4));
    }
    if (addr->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, addr, sizeof(in6));
        const unsigned char *a = in6.sin6_addr.s6_addr;
        return inside(a, &v6_public) && !inside_any(a, v6, ARRAY_LEN(v6));
    }
    return false;
}
