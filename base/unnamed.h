/* Files without a name: they go with the process, however it ends. */
#ifndef BASE_UNNAMED_H
#define BASE_UNNAMED_H

/* One in TMPDIR, or else /var/tmp, for reading and writing. -1: errno says why. */
int unnamed_file(void);

#endif
