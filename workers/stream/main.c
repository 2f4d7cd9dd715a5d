/* annotate-stream: puts every event, final label and ready release on Kafka, or in a file log where
 * there is no Kafka. Owns the process: settings, signals, the pid file. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "io/kafka_security.h"
#include "workers/stream/relay.h"

#define SUMMARY                                                                                    \
    "annotate-stream [OPTIONS] [from-start]: moves events to Kafka or to a file log, exactly "     \
    "once.\n\nfrom-start: begin anew although the stream holds events and its position is lost; "  \
    "consumers\nthen see events again, under the same ce_id."

enum { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_TAKEN_OVER = 3 };

static volatile sig_atomic_t stop;

static void on_stop(int sig)
{
    (void)sig;
    stop = 1;
}

static void on_start(void *path)
{
    FILE *f = *(const char *)path ? fopen(path, "w") : NULL;

    if (f) {
        fprintf(f, "%ld\n", (long)getpid());
        if (fclose(f) == 0)
            return;
    }
    if (*(const char *)path)
        log_error("pid_file", "%s cannot be written", (const char *)path);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop};

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What never gets better by trying again. */
static bool settings_good(void)
{
    struct kafka_security security = kafka_security_of_config();
    char why[KAFKA_WHY_MAX];

    if (!kafka_security_check(&security, why))
        return true;
    log_error("settings", "%s", why);
    return false;
}

int main(int argc, char **argv)
{
    int i = config_load(PROGRAM_STREAM, SUMMARY, argc, argv);
    bool from_start = i < argc && strcmp(argv[i], "from-start") == 0;
    char pid_file[4096];

    if (i + from_start < argc) {
        fprintf(stderr, "annotate-stream: %s: no such word (see --help)\n", argv[i + from_start]);
        return EXIT_USAGE;
    }
    log_init("annotate-stream", config_str(CONFIG_log_level));
    if (!settings_good())
        return EXIT_USAGE;
    snprintf(pid_file, sizeof(pid_file), "%s", config_str(CONFIG_pid_file));
    catch_signals();
    struct relay_options o = {.db = config_str(CONFIG_db_worker),
        .blobs = config_str(CONFIG_blobs),
        .sink = {.spec = config_str(CONFIG_sink),
            .prefix = config_str(CONFIG_topic_prefix),
            .partitions = (int)config_int(CONFIG_topic_partitions),
            .stop = &stop},
        .poll_ms = config_int(CONFIG_poll_ms),
        .from_start = from_start,
        .started = on_start,
        .ctx = pid_file};
    enum err e = relay_run(&o);
    if (*pid_file)
        unlink(pid_file);
    log_info("stream_stopped", "%s", err_title(e));
    return e == ERR_OK ? EXIT_STOPPED : e == ERR_CONFLICT ? EXIT_TAKEN_OVER : EXIT_FAILED;
}
