/* What a project has of a bucket already: the external ids of its tasks, and the ETag of each
 * object when its task was made. Memory: about 50 bytes a task. */
#ifndef CLI_SYNC_KNOWN_H
#define CLI_SYNC_KNOWN_H

#include "cli/api.h"
#include "cli/digest_map.h"

struct sync_known {
    struct digest_map ids; /* to a digest of the ETag; 0: nobody knows, as after an erasure */
};

enum sync_state { SYNC_NEW, SYNC_SAME, SYNC_CHANGED };

/* Reads the tasks of a project whose ids begin so. False after saying why not; release in both
 * cases. */
bool sync_known_load(
    struct sync_known *k, struct api *a, int64_t project, const char *begin) MUSTCHECK;
void sync_known_release(struct sync_known *k);

/* What an object is, of that id and ETag. What is new is known from here on. */
enum sync_state sync_known_look(struct sync_known *k, struct str id, const char *etag);

#endif
