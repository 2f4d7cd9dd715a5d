/* Owns upkeep's store. Never used by two threads. */
#include "workers/upkeep/store.h"

#include "base/clock.h"
#include "base/config.h"

enum { KEEP_US = 3600 * 1000000LL, REST_US = 30 * 1000000LL };

struct blob_store *upkeep_store(void)
{
    static struct blob_store store;
    static int64_t opened_us, failed_us;
    int64_t now_us = clock_mono_us();

    if (opened_us && now_us - opened_us > KEEP_US) {
        blob_close(&store);
        opened_us = 0;
    }
    if (!opened_us && (!failed_us || now_us - failed_us > REST_US)) {
        bool good = blob_open(&store, config_str(CONFIG_blobs)) == ERR_OK;
        opened_us = good ? now_us : 0;
        failed_us = good ? 0 : now_us;
    }
    return opened_us ? &store : NULL;
}
