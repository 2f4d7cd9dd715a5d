/* Owns `annotate user`: the people and machines of a tenant, and their passwords (base/password).
 * Never takes a password from the command line, where every process could read it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/password.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "cli/secret.h"

struct user {
    const char *tenant, *email, *name, *password_file;
    bool admin, no_password, if_missing;
};

/* The hash of the password that was asked for; "" with --no-password. */
static bool hash_asked(const struct user *u, char *hash, size_t size)
{
    char plain[PASSWORD_MAX + 3]; /* its line's end and a NUL */
    enum err e;

    *hash = '\0';
    if (u->no_password)
        return true;
    if (!secret_read(u->password_file, plain, sizeof(plain)))
        return false;
    e = password_hash(plain, hash, size);
    explicit_bzero(plain, sizeof(plain));
    if (e)
        fail("a password " PASSWORD_RULE ".");
    return !e;
}

static bool is_address(const char *email)
{
    const char *at = strchr(email, '@');

    if (at && at != email && at[1])
        return owner_text("an e-mail address", email, 3, 254);
    fail("\"%s\" is no e-mail address.", email);
    return false;
}

static void bind_hash(struct db_call *c, struct owner *o, const char *hash)
{
    if (*hash)
        db_text(c, o->arena, str_of(hash));
    else
        db_null(c);
}

static int print_id(int64_t id)
{
    printf("%" PRId64 "\n", id);
    return 0;
}

static int existing(struct owner *o, const struct user *u)
{
    if (!u->if_missing)
        return fail("there is a user \"%s\" already.", u->email);
    int64_t id = owner_find_user(o, u->email);
    return id ? print_id(id) : 1;
}

static int create_in(struct owner *o, const struct user *u, const char *hash)
{
    struct db_call c = owner_call(o, STMT_user_admin_create);

    db_text(&c, o->arena, str_of(u->email));
    db_text(&c, o->arena, str_of(u->name));
    bind_hash(&c, o, hash);
    db_bool(&c, u->admin);
    const PGresult *r = owner_run(o, &c);
    if (!r)
        return 1;
    return PQntuples(r) ? print_id(db_get_int(r, 0, 0)) : existing(o, u);
}

static int create(int argc, char **argv)
{
    struct user u = {0};
    const struct opt opts[] = {{"tenant", .text = &u.tenant, .required = true},
        {"email", .text = &u.email, .required = true}, {"name", .text = &u.name, .required = true},
        {"password-file", .text = &u.password_file}, {"no-password", .flag = &u.no_password},
        {"admin", .flag = &u.admin}, {"if-missing", .flag = &u.if_missing}};
    char hash[PASSWORD_HASH_SIZE];
    struct owner o;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (u.no_password && u.password_file)
        return misuse("user", "--no-password and --password-file exclude each other.");
    if (!is_address(u.email) || !owner_text("a user's name", u.name, 1, 200) ||
        !hash_asked(&u, hash, sizeof(hash)))
        return 1;
    int status = owner_open(&o, u.tenant) ? create_in(&o, &u, hash) : 1;
    owner_close(&o);
    return status;
}

static int password_in(struct owner *o, const struct user *u, const char *hash)
{
    struct db_call c = owner_call(o, STMT_user_admin_password);
    int64_t id = owner_find_user(o, u->email);

    if (!id)
        return 1;
    db_int(&c, o->arena, id);
    bind_hash(&c, o, hash);
    return owner_run(o, &c) ? 0 : 1;
}

static int password(int argc, char **argv)
{
    struct user u = {0};
    const struct opt opts[] = {{"tenant", .text = &u.tenant, .required = true},
        {"email", .text = &u.email, .required = true}, {"password-file", .text = &u.password_file},
        {"no-password", .flag = &u.no_password}};
    char hash[PASSWORD_HASH_SIZE];
    struct owner o;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0)
        return 2;
    if (u.no_password && u.password_file)
        return misuse("user", "--no-password and --password-file exclude each other.");
    if (!hash_asked(&u, hash, sizeof(hash)))
        return 1;
    int status = owner_open(&o, u.tenant) ? password_in(&o, &u, hash) : 1;
    owner_close(&o);
    return status;
}

static void print_user(const PGresult *r, int row)
{
    printf("%s\t%s\t%s%s%s%s\n", PQgetvalue(r, row, 0), PQgetvalue(r, row, 1),
        PQgetvalue(r, row, 2), db_get_bool(r, row, 3) ? "\tadmin" : "",
        db_get_bool(r, row, 4) ? "\tdisabled" : "", db_get_bool(r, row, 5) ? "" : "\tno-password");
}

static int list(int argc, char **argv)
{
    return owner_list(argc, argv, STMT_user_admin_list, print_user);
}

int cmd_user(int argc, char **argv)
{
    static const struct verb verbs[] = {{"create", create}, {"password", password}, {"list", list}};

    return args_verb(argc, argv, verbs, ARRAY_LEN(verbs));
}
