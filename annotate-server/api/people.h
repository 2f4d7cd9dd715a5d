/* Who there is: login, the account, users, invites, API tokens. */
#ifndef API_PEOPLE_H
#define API_PEOPLE_H

#include "annotate-server/http/request.h"

void login_handler(struct req *r);
/* The answer to who has shown who they are: a login token for r->who, of that epoch, and the user.
 */
void session_reply(struct req *r, int status, int64_t epoch, struct str email, struct str name);

void me_handler(struct req *r);
void password_handler(struct req *r);
void user_list_handler(struct req *r);
void user_create_handler(struct req *r);
void user_update_handler(struct req *r);
void invite_list_handler(struct req *r);
void invite_create_handler(struct req *r);
void invite_revoke_handler(struct req *r);
void invite_accept_handler(struct req *r);
void token_list_handler(struct req *r);
void token_create_handler(struct req *r);
void token_revoke_handler(struct req *r);

#endif
