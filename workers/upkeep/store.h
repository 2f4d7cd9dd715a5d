/* The store of blobs that all duties of upkeep share. */
#ifndef UPKEEP_STORE_H
#define UPKEEP_STORE_H

#include "storage/blob.h"

/* Opened when it is first asked for and kept; opened anew each hour, which sweeps what crashed
 * writers left. NULL: it cannot be had, and has said why; asked again after half a minute, so that
 * a store that is out does not hold up the duties that need none. */
struct blob_store *upkeep_store(void);

#endif
