/* Owns reading a request: headers and query parameters. Answers are in reply.c and stream.c. */
#include <sys/socket.h>

#include "annotate-server/http/conn.h"

struct str req_header(const struct req *r, const char *name)
{
    return head_get(&exchange_of(r)->head, name);
}

struct str req_query(struct req *r, const char *name)
{
    return uri_query(r->arena, r->query, str_of(name));
}

bool req_gone(const struct req *r)
{
    return exchange_of(r)->conn->state == CONN_CLOSED;
}

bool req_hung_up(const struct req *r)
{
    return req_gone(r) || exchange_of(r)->conn->hangup;
}

uint64_t req_peer(const struct req *r)
{
    struct sockaddr_storage from;
    socklen_t n = sizeof(from);

    memset(&from, 0, sizeof(from));
    if (getpeername(exchange_of(r)->conn->fd, (struct sockaddr *)&from, &n))
        return 0;
    return limit_address((struct sockaddr *)&from);
}
