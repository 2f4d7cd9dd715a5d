/* The administrator's database connection (--db-owner) of tenant, user and token.
 * The owner's role is under row-level security like any other: a tenant is named first. */
#ifndef CLI_OWNER_H
#define CLI_OWNER_H

#include "base/arena.h"
#include "io/db.h"

struct owner {
    struct db_sync *db;
    struct arena *arena; /* parameters and copies; lives until owner_close */
    int64_t tenant;      /* 0: none named */
};

/* Connects; tenant is its name, or NULL. False after saying why not. Close in both cases. */
bool owner_open(struct owner *o, const char *tenant) MUSTCHECK;
void owner_close(struct owner *o);

/* Begins a call in the named tenant; add parameters with db_int and its siblings. */
struct db_call owner_call(const struct owner *o, enum statement stmt);
/* Runs it. NULL after saying why not; the result is freed with the owner. */
const PGresult *owner_run(struct owner *o, struct db_call *c) MUSTCHECK;

/* A command's `list --tenant NAME`: a row of the statement at a time. Its parameter is the id
 * behind which a page begins, its first column the id. Returns the exit status. */
int owner_list(
    int argc, char **argv, enum statement page, void (*print)(const PGresult *r, int row));

/* True when `text` is UTF-8 of min..max characters, as the database's columns ask; else says so.
 * `what`: "a user's name". */
bool owner_text(const char *what, const char *text, size_t min, size_t max) MUSTCHECK;

/* The id of the tenant's user with this address; 0 after saying that there is none. */
int64_t owner_find_user(struct owner *o, const char *email) MUSTCHECK;

#endif
