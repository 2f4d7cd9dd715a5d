/* Releases: ordered here, built by annotate-export, streamed out here in any format. */
#ifndef API_RELEASES_H
#define API_RELEASES_H

#include "annotate-server/http/request.h"

void release_create_handler(struct req *r);
void release_list_handler(struct req *r);
void release_get_handler(struct req *r);
void release_protect_handler(struct req *r);
void release_delete_handler(struct req *r);
void release_export_handler(struct req *r);
void release_card_handler(struct req *r);
void release_diff_handler(struct req *r);
void release_lineage_handler(struct req *r);
void label_releases_handler(struct req *r);

#endif
