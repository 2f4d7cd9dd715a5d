/* What kind of medium a file is by the end of its name. Its content has the last word: the server
 * looks at it. */
#ifndef CLI_MEDIA_KIND_H
#define CLI_MEDIA_KIND_H

enum media_kind {
    MEDIA_NONE,
    MEDIA_IMAGE,
    MEDIA_AUDIO,
    MEDIA_VIDEO,
    MEDIA_TEXT,
    MEDIA_PDF,
    MEDIA_KINDS
};

enum media_kind media_kind_of(const char *name);
/* The tag of a label config that shows it: "Image". NULL for MEDIA_NONE. */
const char *media_kind_tag(enum media_kind kind);

#endif
