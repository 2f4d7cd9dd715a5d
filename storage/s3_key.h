/* The key of an S3 account, from the files that the settings name. Wipe it after use. */
#ifndef STORAGE_S3_KEY_H
#define STORAGE_S3_KEY_H

#include "base/err.h"

struct s3_key {
    char access[256], secret[256];
    char token[4096]; /* of temporary credentials; "" when the settings name no file */
};

/* ERR_INVALID when a file is not set, cannot be read or is no key; logs which setting it was. */
enum err s3_key_read(struct s3_key *k) MUSTCHECK;

#endif
