/* A spool a split, in the order in which the splits are first met: for files that list what is in
 * each of them. */
#ifndef FORMATS_SPLIT_SPOOLS_H
#define FORMATS_SPLIT_SPOOLS_H

#include "formats/format.h"

struct split_spool {
    struct split_spool *next;
    const char *split;
    struct spool *spool;
};

/* Begins as zeroes, as a format's state does. */
struct split_spools {
    struct split_spool *first;
};

/* The split's; it lives as long as the export. */
struct spool *split_spool_of(struct exporter *x, struct split_spools *all, const char *split);

#endif
