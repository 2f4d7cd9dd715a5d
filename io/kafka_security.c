/* Owns which combinations of the Kafka settings make sense, and their way into librdkafka. Never
 * opens a connection. */
#include "io/kafka_security.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"

enum { PASSWORD_MAX = 512 };

struct kafka_security kafka_security_of_config(void)
{
    return (struct kafka_security){.ca = config_str(CONFIG_kafka_ca_file),
        .certificate = config_str(CONFIG_kafka_certificate_file),
        .key = config_str(CONFIG_kafka_key_file),
        .sasl = config_str(CONFIG_kafka_sasl),
        .username = config_str(CONFIG_kafka_username),
        .password_file = config_str(CONFIG_kafka_password_file)};
}

PRINTF(2, 3) static enum err refuse(char *why, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, KAFKA_WHY_MAX, fmt, ap);
    va_end(ap);
    return ERR_INVALID;
}

/* A regular file that can be read; `secret`: by nobody else. */
static enum err usable(const char *setting, const char *path, bool secret, char *why)
{
    struct stat st;

    if (!*path)
        return ERR_OK;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, R_OK) != 0)
        return refuse(why, "%s: %s cannot be read", setting, path);
    if (secret && (st.st_mode & 077))
        return refuse(why, "%s: others may read %s; chmod 600 it", setting, path);
    return ERR_OK;
}

/* The file's first line. */
static enum err read_password(const char *path, char *out, char *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, PASSWORD_MAX - 1);

    if (fd >= 0)
        close(fd);
    if (n < 0)
        return refuse(why, "kafka_password_file: %s cannot be read", path);
    out[n] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    if (!*out)
        return refuse(why, "kafka_password_file: %s is empty", path);
    return ERR_OK;
}

static bool known_mechanism(const char *name)
{
    static const char *const names[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static enum err check_together(const struct kafka_security *s, char *why)
{
    bool tls = *s->ca, sasl = *s->sasl;

    if (!*s->certificate != !*s->key)
        return refuse(why, "kafka_certificate_file and kafka_key_file go together");
    if (*s->certificate && !tls)
        return refuse(why, "kafka_certificate_file needs kafka_ca_file: a file, or system");
    if (sasl && !known_mechanism(s->sasl))
        return refuse(why, "kafka_sasl must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
    if (!sasl && (*s->username || *s->password_file))
        return refuse(why, "kafka_username and kafka_password_file need kafka_sasl");
    if (sasl && (!*s->username || !*s->password_file))
        return refuse(why, "kafka_sasl needs kafka_username and kafka_password_file");
    if (sasl && !tls && strcmp(s->sasl, "PLAIN") == 0)
        return refuse(why, "kafka_sasl PLAIN shows the password to all on the way; it needs"
                           " kafka_ca_file (TLS)");
    return ERR_OK;
}

enum err kafka_security_check(const struct kafka_security *s, char *why)
{
    bool system = strcmp(s->ca, "system") == 0;
    char password[PASSWORD_MAX];
    enum err e = check_together(s, why);

    if (e || (e = usable("kafka_ca_file", system ? "" : s->ca, false, why)) ||
        (e = usable("kafka_certificate_file", s->certificate, false, why)) ||
        (e = usable("kafka_key_file", s->key, true, why)) ||
        (e = usable("kafka_password_file", s->password_file, true, why)))
        return e;
    if (*s->password_file)
        e = read_password(s->password_file, password, why);
    explicit_bzero(password, sizeof(password));
    return e;
}

static enum err set(rd_kafka_conf_t *conf, const char *name, const char *value, char *why)
{
    return !*value || rd_kafka_conf_set(conf, name, value, why, KAFKA_WHY_MAX) == RD_KAFKA_CONF_OK
               ? ERR_OK
               : ERR_INVALID;
}

static const char *protocol(const struct kafka_security *s)
{
    return *s->ca ? (*s->sasl ? "sasl_ssl" : "ssl") : *s->sasl ? "sasl_plaintext" : "plaintext";
}

enum err kafka_security_apply(const struct kafka_security *s, rd_kafka_conf_t *conf, char *why)
{
    bool system = strcmp(s->ca, "system") == 0;
    char password[PASSWORD_MAX] = "";
    enum err e = kafka_security_check(s, why);

    if (!e && *s->password_file)
        e = read_password(s->password_file, password, why);
    if (!e && !(e = set(conf, "security.protocol", protocol(s), why)) &&
        !(e = set(conf, "ssl.ca.location", system ? "probe" : s->ca, why)) &&
        !(e = set(conf, "ssl.certificate.location", s->certificate, why)) &&
        !(e = set(conf, "ssl.key.location", s->key, why)) &&
        !(e = set(conf, "sasl.mechanisms", s->sasl, why)) &&
        !(e = set(conf, "sasl.username", s->username, why)))
        e = set(conf, "sasl.password", password, why);
    explicit_bzero(password, sizeof(password));
    return e;
}
