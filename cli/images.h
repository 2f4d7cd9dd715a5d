/* The image files of a directory tree, in the order of their names, so that an import repeats the
 * same. Files whose names begin with a dot, and links, are left out. */
#ifndef CLI_IMAGES_H
#define CLI_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

struct images;

/* NULL after saying why not. dir is borrowed. */
struct images *images_open(const char *dir);
void images_close(struct images *w);

/* The next one; *path is to open it, *name its path below the directory. Both are valid until the
 * next call. False at the end, or after an error was said and images_failed() is true. */
bool images_next(struct images *w, const char **path, const char **name);
bool images_failed(const struct images *w);
/* How many files were passed over so far because they are no images by their names. */
int64_t images_other(const struct images *w);

/* How many images a walk will find; -1 after saying why it cannot be known. */
int64_t images_count(const char *dir);

#endif
