/* Owns `annotate consume`: reads the stream back, prints it or checks it. */
#include <signal.h>
#include <stdio.h>

#include "base/config.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/feed.h"
#include "cli/say.h"
#include "cli/stream_check.h"

static volatile sig_atomic_t stop;

static void on_stop(int sig)
{
    (void)sig;
    stop = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop};

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

/* One record a line, as the file sink has them. */
static enum err print_record(const struct record *r, struct buf *line)
{
    enum err e;

    buf_clear(line);
    if ((e = record_print(r, line)))
        return e;
    buf_putc(line, '\n');
    return fwrite(line->p, 1, line->n, stdout) == line->n ? ERR_OK : ERR_IO;
}

static int print_all(struct feed *f, bool follow)
{
    struct record r;
    struct buf line;
    bool got = true;
    enum err e;

    buf_init(&line, BUF_MAX_LABEL);
    while (!(e = feed_next(f, &r, &got)) && (got || follow) && !stop) {
        if (got)
            e = print_record(&r, &line);
        else if (fflush(stdout) != 0)
            e = ERR_IO;
        if (e)
            break;
    }
    buf_release(&line);
    return e ? fail("the stream could not be printed to its end: %s.", err_title(e)) : 0;
}

static int verify_all(struct feed *f)
{
    struct stream_check *check = stream_check_new();
    struct record r;
    bool got;
    enum err e;
    int status;

    while (!(e = feed_next(f, &r, &got)) && got && !stop)
        stream_check_add(check, &r);
    if (e || stop)
        status = fail("the stream was not read to its end; nothing is said of it.");
    else
        status = stream_check_report(check, stdout) ? 1 : 0;
    stream_check_free(check);
    return status;
}

/* 0, or 2 after saying what is wrong. */
static int choose(
    struct feed *f, const char *kafka, const char *dir, const char *topic, bool verify)
{
    enum topic t;

    if (!kafka == !dir)
        return misuse("consume", "say where the stream is: --kafka HOST:PORT or --file DIR.");
    if (!topic == !verify)
        return misuse("consume", "say --topic events, labels or releases, or --verify.");
    f->backend = kafka ? &feed_kafka : &feed_file;
    f->where = kafka ? kafka : dir;
    f->prefix = config_str(CONFIG_topic_prefix);
    for (int i = 0; i < TOPIC_COUNT; i++)
        f->wanted[i] = verify;
    if (verify)
        return 0;
    if (!topic_parse(str_of(topic), &t))
        return misuse(
            "consume", "there is no topic \"%s\": it is events, labels or releases.", topic);
    f->wanted[t] = true;
    return 0;
}

int cmd_consume(int argc, char **argv)
{
    const char *kafka = NULL, *dir = NULL, *topic = NULL;
    bool follow = false, verify = false;
    const struct opt opts[] = {{"kafka", .text = &kafka}, {"file", .text = &dir},
        {"topic", .text = &topic}, {"follow", .flag = &follow}, {"verify", .flag = &verify}};
    struct feed f = {0};
    int status;

    if (args_read(argc, argv, opts, ARRAY_LEN(opts), 0, 0) < 0 ||
        choose(&f, kafka, dir, topic, verify))
        return 2;
    if (verify && follow)
        return misuse("consume", "--verify reads a stream to its end; it cannot follow it.");
    catch_signals();
    if (feed_open(&f))
        status = 1;
    else
        status = verify ? verify_all(&f) : print_all(&f, follow);
    feed_close(&f);
    return status;
}
