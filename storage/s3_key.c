/* Owns reading the key of an S3 account from its files. Never keeps or logs it. */
#include "storage/s3_key.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/log.h"
#include "base/str.h"

/* What is secret belongs to its owner alone, as every key file of ours. */
static bool is_private(FILE *f)
{
    struct stat st;

    return fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077);
}

/* The first line, which must be printable ASCII without blanks: it goes into a header. */
static bool read_line(const char *path, bool secret, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    bool good = f && (!secret || is_private(f)) && fgets(out, (int)size, f);

    if (f)
        fclose(f);
    if (!good)
        return false;
    size_t n = strcspn(out, "\r\n");
    if (out[n] == '\0' && n + 1 == size)
        return false; /* longer than any key */
    out[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (out[i] <= ' ' || out[i] > '~')
            return false;
    return n > 0;
}

enum err s3_key_read(struct s3_key *k)
{
    const struct {
        const char *setting, *path;
        char *out;
        size_t size;
        bool secret, optional;
    } rows[] = {
        {"s3-access-key-file", config_str(CONFIG_s3_access_key_file), k->access, sizeof(k->access),
            false, false},
        {"s3-secret-key-file", config_str(CONFIG_s3_secret_key_file), k->secret, sizeof(k->secret),
            true, false},
        {"s3-session-token-file", config_str(CONFIG_s3_session_token_file), k->token,
            sizeof(k->token), true, true},
    };

    memset(k, 0, sizeof(*k));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].optional && (!rows[i].path || !rows[i].path[0]))
            continue;
        if (!rows[i].path || !read_line(rows[i].path, rows[i].secret, rows[i].out, rows[i].size)) {
            log_error("blob_s3", "--%s: no file with one line of a key%s", rows[i].setting,
                rows[i].secret ? " that its owner alone may read (mode 0600)" : "");
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}
