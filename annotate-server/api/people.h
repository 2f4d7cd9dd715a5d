/* Who there is: login, the account, users, API tokens. */
#ifndef API_PEOPLE_H
#define API_PEOPLE_H

#include "annotate-server/http/request.h"

void login_handler(struct req *r);
void me_handler(struct req *r);
void user_list_handler(struct req *r);
void user_create_handler(struct req *r);
void token_list_handler(struct req *r);
void token_create_handler(struct req *r);
void token_revoke_handler(struct req *r);

#endif
