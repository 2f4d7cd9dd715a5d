/* How far a project's annotators agree, corrected for chance: read from sums that upkeep keeps. */
#ifndef API_AGREEMENT_H
#define API_AGREEMENT_H

#include "annotate-server/http/request.h"

void agreement_handler(struct req *r);
void agreement_people_handler(struct req *r);
void agreement_others_handler(struct req *r);

#endif
