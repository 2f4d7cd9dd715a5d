/* One task through a format, for the tests of formats. */
#ifndef TESTS_FORMATS_RUN_H
#define TESTS_FORMATS_RUN_H

#include "formats/exporter.h"

/* Task 7 of the split train, with a label. */
struct export_item item_of(const char *data, const char *result);

/* Through the format of that name, without media; the report is EXPORT.json, NULL: not wanted. */
enum err export_run(const char *format, enum container_kind kind, const char *xml,
    const struct export_item *item, struct buf *out, struct buf *report);
/* The config of the options is that of the XML. */
enum err export_run_with(struct export_options o, const char *xml, const struct export_item *item,
    struct buf *out, struct buf *report);

/* A stored file of 23 bytes, and where it is read. Its address holds STORED_SUM. */
#define STORED_SUM "836cedbc5145df0ea119a5a20261450a6dbaa3f151e25f3f131a744992cf56a3"
extern const struct export_asset stored_asset;
enum err stored_read(
    void *arg, const struct export_asset *asset, int64_t off, size_t n, struct buf *out);

/* A file of a tar of plain entries; empty when it is not there. */
struct str file_in(struct str tar, const char *path);

/* Many of the item: what is held does not grow with what goes through. With media where the item
 * has assets. */
void check_gathers_not(const char *format, const char *xml, struct export_item item);
/* That the text holds "lost":LOST. */
void check_lost(struct str report, const char *lost);

#endif
