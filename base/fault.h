/* Named fault points, compiled in test builds only:
 * ANNOTATE_FAULT="name:nth:kill|abort|sleep=MS|err" makes the nth passing of `name` die, wait or
 * fail. In release builds FAULT(name) is the constant ERR_OK. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/err.h"

#ifdef ANNOTATE_FAULTS
enum err fault_hit(const char *name);
#define FAULT(name) fault_hit(name)
#else
#define FAULT(name) ERR_OK
#endif

#endif
