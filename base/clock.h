/* The only source of time outside PostgreSQL. Lease time is the database's clock, never this one.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Microseconds on a clock that never jumps: for deadlines and durations. */
int64_t clock_mono_us(void);
/* Seconds since 1970, wall clock: for tokens and logs. Tests may replace it by clock_set(). */
int64_t clock_unix(void);
void clock_set(int64_t unix_s); /* 0 = the real one again */

/* "2026-11-24T10:11:12.123Z" of now; out holds at least 32 bytes. */
void clock_rfc3339(char *out, size_t size);
/* The same of any second since 1970, without a fraction. */
void clock_rfc3339_at(int64_t unix_s, char *out, size_t size);

#endif
