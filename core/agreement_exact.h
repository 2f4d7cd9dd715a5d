/* The share of pairs of documents that say the same. */
#ifndef CORE_AGREEMENT_EXACT_H
#define CORE_AGREEMENT_EXACT_H

#include "core/agreement.h"

/* Docs and errors as in agreement_measure(). ERR_INVALID also for a relation to no region. */
enum err agreement_exact(const struct str *docs, size_t n, struct agreement *out) MUSTCHECK;

#endif
