/* Owns reading and writing secrets. Never echoes one and never leaves a file others can read. */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/say.h"

/* One line without its end; false at the end of the file, on an error, or when it does not fit. */
static bool read_line(FILE *f, char *out, size_t size)
{
    if (!fgets(out, (int)size, f))
        return false;
    size_t n = strcspn(out, "\r\n");
    bool whole = out[n] != '\0' || feof(f);
    out[n] = '\0';
    return whole;
}

static bool read_file(const char *path, char *out, size_t size)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "r");

    if (!f) {
        fail("%s cannot be read: %s.", path, strerror(errno));
        return false;
    }
    bool ok = read_line(f, out, size);
    if (!standard)
        fclose(f);
    if (!ok)
        fail("%s does not begin with a line of at most %zu bytes.", path, size - 2);
    return ok;
}

static bool ask(const char *prompt, char *out, size_t size)
{
    struct termios normal, silent;

    if (tcgetattr(STDIN_FILENO, &normal))
        return false;
    silent = normal;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent))
        return false;
    fputs(prompt, stderr);
    bool ok = read_line(stdin, out, size);
    fputc('\n', stderr);
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &normal) == 0 && ok;
}

static bool ask_twice(char *out, size_t size)
{
    char again[1024];

    if (!isatty(STDIN_FILENO)) {
        fail("there is no terminal to ask for the password; give --password-file FILE.");
        return false;
    }
    bool ok = ask("Password: ", out, size) && ask("The same again: ", again, sizeof(again));
    bool same = ok && strcmp(out, again) == 0;
    explicit_bzero(again, sizeof(again));
    if (!same)
        fail(ok ? "the two are not the same; nothing was changed." : "no password was read.");
    return same;
}

bool secret_read(const char *path, char *out, size_t size)
{
    return path ? read_file(path, out, size) : ask_twice(out, size);
}

int secret_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        fail("%s exists already; remove it or name another file.", path);
    else if (fd < 0)
        fail("%s cannot be made: %s.", path, strerror(errno));
    return fd;
}

bool secret_write(int fd, const char *path, const char *secret)
{
    bool ok = dprintf(fd, "%s\n", secret) >= 0 && fsync(fd) == 0;

    if (close(fd) != 0 || !ok) {
        fail("%s cannot be written: %s.", path, strerror(errno));
        return false;
    }
    return true;
}
