/* Owns the fault points of fault.h. Never compiled into a release build's behaviour. */
#include "base/fault.h"

#ifdef ANNOTATE_FAULTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

enum err fault_hit(const char *name)
{
    static _Atomic int64_t passed;
    const char *spec = getenv("ANNOTATE_FAULT");
    struct str rest = str_of(spec ? spec : ""), want, nth, action;
    int64_t n, ms;

    if (!spec || !str_split(&rest, ':', &want) || !str_is(want, name))
        return ERR_OK;
    if (!str_split(&rest, ':', &nth) || !str_int(nth, &n) || !str_split(&rest, ':', &action))
        return ERR_OK;
    if (atomic_fetch_add(&passed, 1) + 1 != n)
        return ERR_OK;
    if (str_is(action, "kill"))
        raise(SIGKILL);
    if (str_is(action, "abort"))
        abort();
    if (str_starts(action, STR("sleep=")) &&
        str_int((struct str){action.p + 6, action.n - 6}, &ms)) {
        usleep((useconds_t)ms * 1000);
        return ERR_OK;
    }
    return ERR_IO;
}
#endif
