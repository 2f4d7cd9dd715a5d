/* How this installation's Kafka is spoken to: TLS, a client's certificate, a user's name and
 * password (SASL), from the settings kafka_*. Secrets come from files, never from the command line.
 */
#ifndef IO_KAFKA_SECURITY_H
#define IO_KAFKA_SECURITY_H

#include <librdkafka/rdkafka.h>

#include "base/err.h"

enum { KAFKA_WHY_MAX = 512 };

struct kafka_security { /* "" = not given */
    const char *ca;     /* PEM file, or "system"; with it all is TLS */
    const char *certificate, *key;
    const char *sasl; /* PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 */
    const char *username, *password_file;
};

/* From the settings; borrowed from there. */
struct kafka_security kafka_security_of_config(void);
/* ERR_INVALID, and why[] a sentence for the operator: what is given does not go together, or a file
 * cannot be used. Never a secret in it. */
enum err kafka_security_check(const struct kafka_security *s, char *why) MUSTCHECK;
/* The same, and then into conf. */
enum err kafka_security_apply(
    const struct kafka_security *s, rd_kafka_conf_t *conf, char *why) MUSTCHECK;

#endif
