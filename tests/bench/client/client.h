/* What the load generators share: keep-alive HTTP connections with one request in flight on each,
 * and the times it took. Never decides what is sent, or when. Any fault ends the program. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

enum { CLIENT_TOKEN_MAX = 128 };

struct client {
    int fd;
    char token[CLIENT_TOKEN_MAX];
    struct buf in;            /* the reply being read */
    size_t body_at, body_len; /* body_at 0: its head is not in yet */
};

/* Connects to an IPv4 address with the next line of `tokens` as its token. */
void client_open(struct client *c, const char *host, int port, FILE *tokens);
/* head: the request line and its own headers, each ended by CRLF. */
void client_send(struct client *c, const char *head, const char *body);
/* Reads what is there; true when the reply is complete. It stays in c->in until the next request.
 */
bool client_read(struct client *c);
int client_status(const struct client *c);
/* The body of a complete reply, ended by NUL. */
const char *client_body(const struct client *c);

struct work { /* a leased assignment */
    int64_t assignment, version;
};
/* The next assignment in a claim's reply, from *at on; false: no more. */
bool client_next_work(const char **at, struct work *out);

/* Times in ms; the first SAMPLES_MAX are kept. */
struct samples {
    float *ms;
    long n;
};
void samples_init(struct samples *s);
void samples_add(struct samples *s, int64_t us);
/* Sorts them; the value that the share `permille` of them is below; 1000: the largest, 0 if none.
 */
double samples_at(struct samples *s, int permille);

__attribute__((noreturn)) void client_die(const char *what);

#endif
