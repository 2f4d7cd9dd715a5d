/* An archive: whatever it holds, its names stay inside and its files can be read. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/file_set.h"
#include "fuzz.h"

static bool leads_out(struct str name)
{
    struct str rest = name, part;

    while (str_split(&rest, '/', &part))
        if (part.n == 0 || str_is(part, ".."))
            return true;
    return name.n == 0;
}

static void read_all(struct file_set *s)
{
    char part[4096];

    for (size_t i = 0; i < file_set_count(s); i++) {
        const struct file_set_entry *f = file_set_at(s, i);
        CLAIM(!leads_out(f->name) && f->name.n <= FILE_SET_NAME && f->bytes >= 0);
        ssize_t n = file_set_read(s, i, 0, part, sizeof(part));
        CLAIM(n >= 0 && n <= f->bytes);
    }
}

void fuzz(struct str input)
{
    char why[FILE_SET_WHY] = "", path[64];
    struct file_set *s = NULL;
    int fd = memfd_create("archive", MFD_CLOEXEC);

    CLAIM(fd >= 0 && write(fd, input.p, input.n) == (ssize_t)input.n);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (file_set_open(path, &s, why))
        CLAIM(*why);
    else
        read_all(s);
    file_set_close(s);
    close(fd);
}
