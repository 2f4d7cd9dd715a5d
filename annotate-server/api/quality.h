/* What QA's sample says of a project's labels. */
#ifndef API_QUALITY_H
#define API_QUALITY_H

#include "annotate-server/http/request.h"

void qa_handler(struct req *r);

#endif
