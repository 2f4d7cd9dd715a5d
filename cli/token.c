/* Owns `annotate token`: API tokens made by the administrator, for workers and scripts. A token is
 * written to its file once; the database keeps its hash (base/api_token.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/api_token.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "cli/secret.h"

/* Makes the row; the token itself goes to `token`. 0 after saying why not. */
static int64_t insert(struct owner *o, const char *email, const char *name, char *token)
{
    struct db_call next = owner_call(o, STMT_token_admin_next);
    struct db_call c = owner_call(o, STMT_token_admin_create);
    int64_t user = owner_find_user(o, email);
    const PGresult *r;

    if (!user || !(r = owner_run(o, &next)))
        return 0;
    int64_t id = db_get_int(r, 0, 0);
    struct sha256 hash = api_token_make(o->tenant, id, token);
    db_int(&c, o->arena, id);
    db_int(&c, o->arena, user);
    db_text(&c, o->arena, str_of(name));
    db_bytes(&c, hash.b, sizeof(hash.b));
    return owner_run(o, &c) ? id : 0;
}

/* The file first: a token that could not be written down would be lost, and its row left over. */
static int create_in(struct owner *o, const char *email, const char *name, const char *path)
{
    char token[API_TOKEN_SIZE];
    int fd = secret_create(path);

    if (fd < 0)
        return 1;
    int64_t id = insert(o, email, name, token);
    if (!id) {
        close(fd);
        unlink(path);
        return 1;
    }
    bool written = secret_write(fd, path, token);
    explicit_bzero(token, sizeof(token));
    if (!written)
        return fail("token %" PRId64 " is lost; revoke it with `annotate token revoke`.", id);
    printf("%" PRId64 "\n", id);
    return 0;
}

static int create(int argc, char **argv)
{
    const char *tenant = NULL, *email = NULL, *name = NULL, *path = NULL;
    const struct opt opts[] = {{"tenant", .text = &tenant, .required = true},
        {"email", .text = &email, .required = true}, {"name", .text = &name, .required = true},
        {"out", .text = &path, .required = true}};
    struct owner o;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (!owner_text("a token's name", name, 1, 200))
        return 1;
    int status = owner_open(&o, tenant) ? create_in(&o, email, name, path) : 1;
    owner_close(&o);
    return status;
}

static void print_token(const PGresult *r, int row)
{
    printf("%s\t%s\t%s\t%s%s\n", PQgetvalue(r, row, 0), PQgetvalue(r, row, 1),
        PQgetvalue(r, row, 2), PQgetvalue(r, row, 3), db_get_bool(r, row, 4) ? "\trevoked" : "");
}

static int list(int argc, char **argv)
{
    return owner_list(argc, argv, STMT_token_admin_list, print_token);
}

static int revoke_in(struct owner *o, int64_t id)
{
    struct db_call c = owner_call(o, STMT_token_admin_revoke);

    db_int(&c, o->arena, id);
    const PGresult *r = owner_run(o, &c);
    if (!r)
        return 1;
    if (PQntuples(r) == 0)
        return fail("the tenant has no token %" PRId64 "; `annotate token list` shows those there "
                    "are.",
            id);
    return 0;
}

static int revoke_token(int argc, char **argv)
{
    const char *tenant = NULL;
    const struct opt opts[] = {{"tenant", .text = &tenant, .required = true}};
    struct owner o;
    int64_t id;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 1, 1) < 0)
        return 2;
    if (!str_int(str_of(argv[1]), &id))
        return misuse("token", "\"%s\" is not the number of a token.", argv[1]);
    int status = owner_open(&o, tenant) ? revoke_in(&o, id) : 1;
    owner_close(&o);
    return status;
}

int cmd_token(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"create", create}, {"list", list}, {"revoke", revoke_token}};

    return args_verb(argc, argv, verbs, ARRAY_LEN(verbs));
}
