/* Owns the ends of names. Never opens a file. */
#include "cli/media_kind.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"

static const struct {
    const char *end;
    enum media_kind kind;
} ends[] = {{"png", MEDIA_IMAGE}, {"jpg", MEDIA_IMAGE}, {"jpeg", MEDIA_IMAGE}, {"gif", MEDIA_IMAGE},
    {"webp", MEDIA_IMAGE}, {"bmp", MEDIA_IMAGE}, {"tif", MEDIA_IMAGE}, {"tiff", MEDIA_IMAGE},
    {"avif", MEDIA_IMAGE}, {"svg", MEDIA_IMAGE}, {"wav", MEDIA_AUDIO}, {"mp3", MEDIA_AUDIO},
    {"flac", MEDIA_AUDIO}, {"ogg", MEDIA_AUDIO}, {"oga", MEDIA_AUDIO}, {"opus", MEDIA_AUDIO},
    {"m4a", MEDIA_AUDIO}, {"aac", MEDIA_AUDIO}, {"mp4", MEDIA_VIDEO}, {"m4v", MEDIA_VIDEO},
    {"mov", MEDIA_VIDEO}, {"webm", MEDIA_VIDEO}, {"mkv", MEDIA_VIDEO}, {"avi", MEDIA_VIDEO},
    {"txt", MEDIA_TEXT}, {"md", MEDIA_TEXT}, {"pdf", MEDIA_PDF}};

enum media_kind media_kind_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < ARRAY_LEN(ends); i++)
        if (strcasecmp(dot + 1, ends[i].end) == 0)
            return ends[i].kind;
    return MEDIA_NONE;
}

const char *media_kind_tag(enum media_kind kind)
{
    static const char *const tags[MEDIA_KINDS] = {NULL, "Image", "Audio", "Video", "Text", "Pdf"};

    return tags[kind];
}
