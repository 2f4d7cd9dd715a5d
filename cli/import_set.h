/* `annotate import --format`: a data set of another tool, from a directory, an archive or
 * a bucket. */
#ifndef CLI_IMPORT_SET_H
#define CLI_IMPORT_SET_H

#include "cli/api.h"

struct set_options {
    int64_t project, parallel;
    const char *format;
    const char *path;   /* of a directory or an archive; else NULL, and */
    const char *from;   /* a bucket: "s3:https://…" */
    bool allow_private; /* which may be at a private address */
    const char *split;  /* NULL: all */
    const char *map;    /* "old=new,…"; NULL: none */
    const char *as;     /* "annotations", "predictions" */
    const char *model;  /* of predictions */
    const char *errors; /* "refuse", "skip" */
};

/* 2 after saying which option is wrong. */
int import_set_check(const struct set_options *o);
/* Returns an exit status; prints the sums as one JSON object. */
int import_set(struct api *api, const struct set_options *o);

#endif
