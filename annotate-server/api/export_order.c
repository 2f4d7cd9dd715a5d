/* Owns what may be asked of an export. Never makes one. */
#include "annotate-server/api/export_order.h"

#include "formats/exporter.h"

bool export_order_set(
    struct req *r, struct export_order *o, struct str format, struct str container)
{
    enum container_kind least;

    o->format = format_find(format.p ? format : STR("jsonl"));
    if (!o->format) {
        req_fail(r, ERR_INVALID, "/format", "is no export format");
        return false;
    }
    o->container = least = export_container(o->format, o->media);
    if (container.p && !container_find(container, &o->container)) {
        req_fail(r, ERR_INVALID, "/container", "must be file, tar, tar.zst or zip");
        return false;
    }
    if (o->container == CONTAINER_FILE && least != CONTAINER_FILE) {
        req_fail(r, ERR_INVALID, "/container", "%s is several files: tar, tar.zst or zip",
            o->media ? "an export with media" : o->format->name);
        return false;
    }
    if (o->format->media && !o->media) {
        req_fail(r, ERR_INVALID, "/media", "%s is made of media: it needs them", o->format->name);
        return false;
    }
    return true;
}
