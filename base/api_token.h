/* API tokens: ann_<tenant>_<id>_<43 characters of base64url: 32 random bytes>. The server finds the
 * row by (tenant, id) and compares hashes; only the SHA-256 of the whole text is ever stored, so a
 * token can be shown once. Shared by the server and the command-line tool. */
#ifndef BASE_API_TOKEN_H
#define BASE_API_TOKEN_H

#include "base/hash.h"

#define API_TOKEN_PREFIX    "ann_"
#define INVITE_TOKEN_PREFIX "inv_"

enum { API_TOKEN_SECRET = 32, API_TOKEN_SIZE = 96 /* bytes, NUL included */ };

/* A fresh token for row `id` of `tenant` (both >= 1) into out, API_TOKEN_SIZE bytes. Returns the
 * hash to store. */
struct sha256 api_token_make(int64_t tenant, int64_t id, char *out);

/* Reads tenant and id and hashes the text. False for anything that api_token_make() cannot have
 * made. */
bool api_token_parse(struct str text, int64_t *tenant, int64_t *id, struct sha256 *hash);

/* The same for invites (inv_...): one is never taken for the other. */
struct sha256 invite_token_make(int64_t tenant, int64_t id, char *out);
bool invite_token_parse(struct str text, int64_t *tenant, int64_t *id, struct sha256 *hash);

#endif
