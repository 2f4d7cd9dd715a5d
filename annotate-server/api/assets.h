/* Media: upload and download. */
#ifndef API_ASSETS_H
#define API_ASSETS_H

#include "annotate-server/http/request.h"

void asset_create_handler(struct req *r);
void asset_get_handler(struct req *r);

#endif
