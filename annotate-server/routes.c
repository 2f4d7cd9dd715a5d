/* The one table of the API: router, permissions, validation, /openapi.json, the authorization
 * matrix. A new endpoint is a handler in api/ and a row here. */
#include "annotate-server/http/route.h"

#include "annotate-server/api/agreement.h"
#include "annotate-server/api/assets.h"
#include "annotate-server/api/bulk.h"
#include "annotate-server/api/claim.h"
#include "annotate-server/api/comments.h"
#include "annotate-server/api/erasures.h"
#include "annotate-server/api/events.h"
#include "annotate-server/api/export_jobs.h"
#include "annotate-server/api/gold.h"
#include "annotate-server/api/health.h"
#include "annotate-server/api/late.h"
#include "annotate-server/api/media.h"
#include "annotate-server/api/people.h"
#include "annotate-server/api/projects.h"
#include "annotate-server/api/quality.h"
#include "annotate-server/api/queue.h"
#include "annotate-server/api/quota.h"
#include "annotate-server/api/releases.h"
#include "annotate-server/api/statistics.h"
#include "annotate-server/api/task_search.h"
#include "annotate-server/api/tasks.h"
#include "annotate-server/api/uploads.h"
#include "annotate-server/api/work.h"

/* clang-format off */
#define GET    .method = HTTP_M_GET
#define POST   .method = HTTP_M_POST
#define PUT    .method = HTTP_M_PUT
#define PATCH  .method = HTTP_M_PATCH
#define DELETE .method = HTTP_M_DELETE
#define PARAM(name, type, doc) {name, type, NULL, doc}
#define FLAG(name, doc) {name, "boolean", NULL, doc}
#define NUMBER(name, min, max, doc) {name, "integer", "\"minimum\":" #min ",\"maximum\":" #max, doc}
#define DAY(name, doc) {name, "string", "\"format\":\"date\",\"pattern\":\"^(19[7-9]|[2-9]\\\\d)\\\\d\"", doc}
#define ONE_OF(name, values, doc) {name, "string", "\"enum\":[" values "]", doc}
#define TEXT(name, pattern, doc) {name, "string", "\"pattern\":\"" pattern "\"", doc}
#define PARAMS(...) (const struct param[]){__VA_ARGS__, {NULL, NULL, NULL, NULL}}
#define PAGED  NUMBER("after", 0, 9007199254740991, "the `next` of the page before"), NUMBER("limit", 1, 500, "default 100")
#define DATA_PATH PARAMS(TEXT("path", "^data(\\\\.[A-Za-z0-9_][A-Za-z0-9_-]*){1,8}$", "data.KEY or data.KEY.KEY…"))

enum {
    WORKS = MAY_ANNOTATOR | MAY_REVIEWER | MAY_QA | MAY_MODEL | MAY_MANAGER,
    LABELS = MAY_ANNOTATOR | MAY_REVIEWER | MAY_QA | MAY_MANAGER,
    SEES = MAY_VIEWER | LABELS,
    JUDGES = MAY_REVIEWER | MAY_QA | MAY_MANAGER,
    LABEL_BODY = 4 << 20,
    BULK_BODY = 8 << 20,
};

const struct route routes[] = {
    /* operators */
    {GET, .path = "/healthz", .name = "health", .summary = "The process answers", .may = MAY_ANYONE, .serves = "application/json", .ok = 200, .handler = health_handler},
    {GET, .path = "/readyz", .name = "ready", .summary = "The process can serve: the database answers", .may = MAY_ANYONE, .serves = "application/json", .ok = 200, .handler = ready_handler},
    {GET, .path = "/metrics", .name = "metrics", .summary = "Prometheus metrics", .may = MAY_ANYONE, .serves = "text/plain", .ok = 200, .handler = metrics_handler},
    {GET, .path = "/openapi.json", .name = "openapi", .summary = "This document", .may = MAY_ANYONE, .serves = "application/json", .ok = 200, .handler = openapi_handler},

    /* people */
    {POST, .path = "/v1/login", .name = "login", .summary = "Trade an e-mail address and a password for a token", .may = MAY_ANYONE,
     .body = BODY_JSON, .request = "login", .reply = "session", .ok = 200, .handler = login_handler},
    {GET, .path = "/v1/me", .name = "me", .summary = "Who I am and where I work", .may = MAY_USER, .reply = "me", .ok = 200, .handler = me_handler},
    {POST, .path = "/v1/me/password", .name = "password", .summary = "A new password; ends all logins but this one", .may = MAY_USER,
     .body = BODY_JSON, .request = "password", .reply = "session", .ok = 200, .handler = password_handler},
    {GET, .path = "/v1/users", .name = "user_list", .summary = "The tenant's users", .may = MAY_ADMIN,
     .params = PARAMS(FLAG("disabled", "true: those that are disabled instead"), PAGED),
     .reply = "users", .ok = 200, .handler = user_list_handler},
    {POST, .path = "/v1/users", .name = "user_create", .summary = "A new user", .may = MAY_ADMIN, .body = BODY_JSON, .request = "new_user",
     .reply = "user", .ok = 201, .handler = user_create_handler},
    {PATCH, .path = "/v1/users/{id}", .name = "user_update", .summary = "Change a user; disabling ends their tokens", .may = MAY_ADMIN,
     .body = BODY_JSON, .request = "user_change", .reply = "account", .ok = 200, .handler = user_update_handler},
    {GET, .path = "/v1/invites", .name = "invite_list", .summary = "Open invites: mine, an administrator's all", .may = MAY_USER,
     .params = PARAMS(PAGED), .reply = "invites", .ok = 200, .handler = invite_list_handler},
    {POST, .path = "/v1/invites", .name = "invite_create", .summary = "Invite somebody to projects I manage; the token is shown once",
     .may = MAY_USER, .body = BODY_JSON, .request = "new_invite", .reply = "invite_token", .ok = 201, .handler = invite_create_handler},
    {DELETE, .path = "/v1/invites/{id}", .name = "invite_revoke", .summary = "Take an invite back", .may = MAY_USER, .ok = 204,
     .handler = invite_revoke_handler},
    {POST, .path = "/v1/invites/accept", .name = "invite_accept", .summary = "Join with an invite's token", .may = MAY_ANYONE,
     .body = BODY_JSON, .request = "acceptance", .reply = "session", .ok = 201, .handler = invite_accept_handler},
    {GET, .path = "/v1/tokens", .name = "token_list", .summary = "My API tokens", .may = MAY_USER, .reply = "tokens", .ok = 200, .handler = token_list_handler},
    {POST, .path = "/v1/tokens", .name = "token_create", .summary = "A new API token; shown once", .may = MAY_USER, .body = BODY_JSON,
     .request = "new_token", .reply = "token", .ok = 201, .handler = token_create_handler},
    {DELETE, .path = "/v1/tokens/{id}", .name = "token_revoke", .summary = "End an API token of mine", .may = MAY_USER, .ok = 204, .handler = token_revoke_handler},
    {GET, .path = "/v1/tenant/usage", .name = "tenant_usage", .summary = "What the tenant uses, and may use at most", .may = MAY_ADMIN,
     .reply = "usage", .ok = 200, .handler = tenant_usage_handler},

    /* projects */
    {GET, .path = "/v1/projects", .name = "project_list", .summary = "Projects I belong to", .may = MAY_USER,
     .params = PARAMS(FLAG("archived", "true: those that are archived instead"), PAGED),
     .reply = "projects", .ok = 200, .handler = project_list_handler},
    {POST, .path = "/v1/projects", .name = "project_create", .summary = "A new project", .may = MAY_ADMIN, .body = BODY_JSON,
     .request = "new_project", .reply = "project", .answers = ANSWERS_ETAG, .ok = 201, .handler = project_create_handler},
    {GET, .path = "/v1/projects/{id}", .name = "project_get", .summary = "A project", .may = MAY_MEMBER, .object = OBJECT_PROJECT,
     .reply = "project", .answers = ANSWERS_ETAG, .ok = 200, .handler = project_get_handler},
    {PATCH, .path = "/v1/projects/{id}", .name = "project_update", .summary = "Change a project's settings", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .if_match = true, .request = "project_change", .reply = "project", .answers = ANSWERS_ETAG, .ok = 200,
     .handler = project_update_handler},
    {GET, .path = "/v1/projects/{id}/members", .name = "member_list", .summary = "Who belongs to a project", .may = MAY_MEMBER,
     .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "members", .ok = 200, .handler = member_list_handler},
    {PUT, .path = "/v1/projects/{id}/members/{user_id}", .name = "member_put", .summary = "Give a user a role", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "role", .reply = "member", .ok = 200, .handler = member_put_handler},
    {DELETE, .path = "/v1/projects/{id}/members/{user_id}", .name = "member_remove", .summary = "Take a user out of a project",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .ok = 204, .handler = member_remove_handler},
    {GET, .path = "/v1/projects/{id}/progress", .name = "progress", .summary = "Exact counters of a project", .may = MAY_MEMBER,
     .object = OBJECT_PROJECT, .reply = "progress", .ok = 200, .handler = progress_handler},

    {POST, .path = "/v1/projects/{id}/archive", .name = "project_archive", .summary = "Take a project out of use", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .if_match = true, .reply = "project", .answers = ANSWERS_ETAG, .ok = 200, .handler = project_archive_handler},
    {POST, .path = "/v1/projects/{id}/restore", .name = "project_restore", .summary = "Take an archived project back into use",
     .may = MAY_MANAGER | MAY_ARCHIVED, .object = OBJECT_PROJECT, .if_match = true, .reply = "project", .answers = ANSWERS_ETAG, .ok = 200,
     .handler = project_restore_handler},
    {POST, .path = "/v1/projects/{id}/duplicate", .name = "project_duplicate", .summary = "A new project like this one",
     .may = MAY_ADMIN | MAY_ARCHIVED, .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "duplicate", .reply = "project", .answers = ANSWERS_ETAG, .ok = 201,
     .handler = project_duplicate_handler},
    {POST, .path = "/v1/projects/{id}/copy", .name = "project_copy", .summary = "Let a duplicate's tasks come over; repeat until done",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .reply = "copied", .ok = 200, .handler = project_copy_handler},
    {GET, .path = "/v1/projects/{id}/label-configs", .name = "config_list", .summary = "All versions of a project's label config",
     .may = MAY_MEMBER, .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "label_configs", .ok = 200, .handler = config_list_handler},
    {GET, .path = "/v1/projects/{id}/label-configs/{version}", .name = "config_get", .summary = "One version of the label config",
     .may = MAY_MEMBER, .object = OBJECT_PROJECT, .params = PARAMS(NUMBER("version", 1, 2147483647, NULL)), .reply = "label_config",
     .ok = 200, .handler = config_get_handler},
    {POST, .path = "/v1/projects/{id}/label-configs", .name = "config_add", .summary = "A new label config, after the check below",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .body = BODY_JSON, .if_match = true, .request = "config_change", .reply = "project", .answers = ANSWERS_ETAG,
     .ok = 201, .handler = config_add_handler},
    {POST, .path = "/v1/projects/{id}/label-configs/check", .name = "config_check", .summary = "What would break under a label config",
     .may = MAY_MANAGER | MAY_ARCHIVED, .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "config_check",
     .reply = "config_report", .ok = 200, .handler = config_check_handler},
    {GET, .path = "/v1/templates", .name = "template_list", .summary = "Ready-made projects", .may = MAY_USER, .reply = "templates",
     .ok = 200, .handler = template_list_handler},

    /* tasks */
    {POST, .path = "/v1/projects/{id}/tasks", .name = "task_import", .summary = "Import tasks: a JSON array or NDJSON, streamed",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .body = BODY_STREAM,
     .params = PARAMS(ONE_OF("errors", "\"refuse\",\"stop\",\"skip\"", "refuse (default): nothing unless all is good; stop: at the first bad item; skip: without them")),
     .media = "application/json, application/x-ndjson", .request = "new_tasks", .reply = "imported", .ok = 201, .handler = task_import_handler},
    {GET, .path = "/v1/projects/{id}/imports", .name = "import_list", .summary = "Imports of a project, newest first", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "imports", .ok = 200, .handler = import_list_handler},
    {GET, .path = "/v1/projects/{id}/tasks", .name = "task_list", .summary = "Tasks of a project", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_PROJECT, .params = PARAMS(ONE_OF("state", "\"prelabel\",\"annotate\",\"review\",\"qa\",\"done\",\"skipped\",\"archived\"", "only tasks in this state"), PAGED), .reply = "tasks", .ok = 200,
     .handler = task_list_handler},
    {GET, .path = "/v1/tasks/{id}", .name = "task_get", .summary = "A task with its assignments", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_TASK, .reply = "task", .answers = ANSWERS_ETAG, .ok = 200, .handler = task_get_handler},
    {GET, .path = "/v1/tasks/{id}/labels", .name = "label_list", .summary = "All versions of a task's label", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_TASK, .reply = "labels", .ok = 200, .handler = label_list_handler},
    {GET, .path = "/v1/tasks/{id}/blame", .name = "label_blame", .summary = "Which version last changed each region of a task's label",
     .may = MAY_VIEWER | JUDGES, .object = OBJECT_TASK, .params = PARAMS(NUMBER("label", 1, 9007199254740991, "of this version; default the task's label")),
     .reply = "label_blame", .answers = ANSWERS_GONE, .ok = 200, .handler = label_blame_handler},
    {GET, .path = "/v1/tasks/{id}/events", .name = "task_events", .summary = "A task's history", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_TASK, .params = PARAMS(PAGED), .reply = "events", .ok = 200, .handler = task_events_handler},
    {GET, .path = "/v1/tasks/{id}/comments", .name = "task_comments", .summary = "A task's comments", .may = MAY_MEMBER,
     .object = OBJECT_TASK, .params = PARAMS(PAGED), .reply = "comments", .ok = 200, .handler = comment_list_handler},
    {POST, .path = "/v1/tasks/{id}/comments", .name = "comment_add", .summary = "Comment on a task, a region, or reply in a thread",
     .may = SEES, .object = OBJECT_TASK, .body = BODY_JSON, .request = "new_comment", .reply = "comment", .ok = 201,
     .handler = comment_add_handler},
    {PATCH, .path = "/v1/tasks/{id}/comments/{comment_id}", .name = "comment_resolve", .summary = "Resolve a thread, or open it again",
     .may = SEES, .object = OBJECT_TASK, .body = BODY_JSON, .request = "comment_change", .reply = "comment", .ok = 200,
     .handler = comment_resolve_handler},
    {GET, .path = "/v1/tasks/{id}/comments/{comment_id}/history", .name = "comment_history", .summary = "Who resolved a thread, and when",
     .may = MAY_MEMBER, .object = OBJECT_TASK, .params = PARAMS(PAGED), .reply = "comment_changes", .ok = 200,
     .handler = comment_history_handler},
    {POST, .path = "/v1/projects/{id}/accept", .name = "bulk_accept", .summary = "Accept many tasks in review or QA at once",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "bulk_accept", .reply = "bulk_accepted", .ok = 200,
     .handler = bulk_accept_handler},
    {GET, .path = "/v1/projects/{id}/qa", .name = "qa", .summary = "What QA's sample says: defect rates with Wilson's interval",
     .may = MAY_QA | MAY_MANAGER, .object = OBJECT_PROJECT,
     .params = PARAMS(NUMBER("confidence", 50, 99, "percent, default 95"),
         NUMBER("max_permille", 1, 1000, "how many defects in 1000 are acceptable: asks for a verdict"), PAGED),
     .reply = "qa", .ok = 200, .handler = qa_handler},
    {POST, .path = "/v1/projects/{id}/gold", .name = "gold_mark", .summary = "Make a task gold: its label is known, and hidden",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .body = BODY_JSON, .max_body = LABEL_BODY, .request = "new_gold", .reply = "gold", .ok = 201,
     .handler = gold_mark_handler},
    {GET, .path = "/v1/projects/{id}/gold", .name = "gold_list", .summary = "How each person does on gold", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "gold_people", .ok = 200, .handler = gold_list_handler},
    {GET, .path = "/v1/projects/{id}/late", .name = "late_list", .summary = "Work that came too late and waits for somebody to look",
     .may = MAY_VIEWER | JUDGES, .object = OBJECT_PROJECT, .params = PARAMS(FLAG("all", "also what is settled"), PAGED),
     .reply = "late", .ok = 200, .handler = late_list_handler},
    {GET, .path = "/v1/tasks/{id}/late", .name = "late_of_task", .summary = "A task's late work", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_TASK, .params = PARAMS(PAGED), .reply = "late", .ok = 200, .handler = late_of_task_handler},
    {POST, .path = "/v1/labels/{id}/adopt", .name = "label_adopt", .summary = "Make late work the task's label; it is reviewed",
     .may = JUDGES, .object = OBJECT_LABEL, .if_match = true, .reply = "handed_in", .answers = ANSWERS_GONE, .ok = 200, .handler = label_adopt_handler},
    {POST, .path = "/v1/labels/{id}/merge", .name = "label_merge", .summary = "Join late work and the task's label, or name what contradicts",
     .may = JUDGES, .object = OBJECT_LABEL, .if_match = true, .reply = "handed_in", .answers = ANSWERS_GONE, .ok = 200, .handler = label_merge_handler},
    {POST, .path = "/v1/labels/{id}/dismiss", .name = "late_dismiss", .summary = "Settle late work without taking it in", .may = JUDGES,
     .object = OBJECT_LABEL, .ok = 204, .handler = late_dismiss_handler},
    {POST, .path = "/v1/tasks/{id}/restore-label", .name = "label_restore", .summary = "Make an old version the task's label again",
     .may = JUDGES, .object = OBJECT_TASK, .body = BODY_JSON, .if_match = true, .request = "restore_label", .reply = "handed_in", .answers = ANSWERS_GONE, .ok = 200,
     .handler = label_restore_handler},
    {POST, .path = "/v1/tasks/{id}/reopen", .name = "task_reopen", .summary = "Send a finished or skipped task back", .may = MAY_MANAGER,
     .object = OBJECT_TASK, .body = BODY_JSON, .may_be_empty = true, .if_match = true, .request = "reopen", .reply = "moved", .ok = 200, .handler = task_reopen_handler},
    {POST, .path = "/v1/tasks/{id}/archive", .name = "task_archive", .summary = "Take a task out of the flow", .may = MAY_MANAGER,
     .object = OBJECT_TASK, .if_match = true, .reply = "moved", .ok = 200, .handler = task_archive_handler},
    {POST, .path = "/v1/tasks/{id}/restore", .name = "task_restore", .summary = "Put an archived task back", .may = MAY_MANAGER,
     .object = OBJECT_TASK, .if_match = true, .reply = "moved", .ok = 200, .handler = task_restore_handler},
    {GET, .path = "/v1/labels/{id}", .name = "label_get", .summary = "A label version with its content", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_LABEL, .reply = "label", .answers = ANSWERS_GONE, .ok = 200, .handler = label_get_handler},
    {GET, .path = "/v1/labels/{id}/diff/{other_id}", .name = "label_diff", .summary = "What changed between two versions of a task's label, by region",
     .may = MAY_VIEWER | JUDGES, .object = OBJECT_LABEL, .reply = "label_diff", .answers = ANSWERS_GONE, .ok = 200, .handler = label_diff_handler},

    /* the queue */
    {PATCH, .path = "/v1/tasks/{id}", .name = "task_update", .summary = "Change a task's priority", .may = MAY_MANAGER, .object = OBJECT_TASK,
     .body = BODY_JSON, .request = "task_change", .reply = "task_priority", .ok = 200, .handler = task_update_handler},
    {POST, .path = "/v1/projects/{id}/assign", .name = "queue_assign", .summary = "Reserve work for a person", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "assign", .reply = "queue_changed", .ok = 200, .handler = queue_assign_handler},
    {POST, .path = "/v1/projects/{id}/unassign", .name = "queue_unassign", .summary = "Take work away from who holds it", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "unassign", .reply = "queue_changed", .ok = 200, .handler = queue_unassign_handler},
    {POST, .path = "/v1/projects/{id}/prioritize", .name = "queue_prioritize", .summary = "Give many tasks a priority", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "prioritize", .reply = "queue_changed", .ok = 200,
     .handler = queue_prioritize_handler},

    /* search and statistics */
    {POST, .path = "/v1/projects/{id}/tasks/search", .name = "task_search", .summary = "Find tasks by a filter", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .may_be_empty = true, .request = "search", .reply = "search_found", .ok = 200, .handler = task_search_handler},
    {GET, .path = "/v1/projects/{id}/fields", .name = "search_field_list", .summary = "Data paths that tasks are found by",
     .may = MAY_VIEWER | JUDGES, .object = OBJECT_PROJECT, .reply = "search_fields", .ok = 200, .handler = search_field_list_handler},
    {PUT, .path = "/v1/projects/{id}/fields/{path}", .name = "search_field_put", .summary = "Let tasks be found by a data path",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .params = DATA_PATH, .reply = "search_field", .ok = 200, .handler = search_field_put_handler},
    {DELETE, .path = "/v1/projects/{id}/fields/{path}", .name = "search_field_drop", .summary = "Give up a data path",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .params = DATA_PATH, .ok = 204, .handler = search_field_drop_handler},
    {GET, .path = "/v1/projects/{id}/people", .name = "people", .summary = "What each member did; annotators see themselves",
     .may = MAY_MEMBER, .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "stat_people", .ok = 200, .handler = people_handler},
    {GET, .path = "/v1/projects/{id}/quality", .name = "quality", .summary = "What became of each member's labels; annotators see their own",
     .may = MAY_MEMBER, .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "stat_quality", .ok = 200, .handler = quality_handler},
    {GET, .path = "/v1/projects/{id}/agreement", .name = "agreement", .summary = "How far annotators agree, by control, corrected for chance",
     .may = JUDGES, .object = OBJECT_PROJECT, .reply = "agreement", .ok = 200, .handler = agreement_handler},
    {GET, .path = "/v1/projects/{id}/agreement/people", .name = "agreement_people", .summary = "How far each member agrees with the others",
     .may = JUDGES, .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "agreement_people", .ok = 200,
     .handler = agreement_people_handler},
    {GET, .path = "/v1/projects/{id}/agreement/people/{user_id}", .name = "agreement_others",
     .summary = "How far a member agrees with each other one", .may = JUDGES, .object = OBJECT_PROJECT, .params = PARAMS(PAGED),
     .reply = "agreement_others", .ok = 200, .handler = agreement_others_handler},
    {GET, .path = "/v1/projects/{id}/throughput", .name = "throughput", .summary = "What was done, by day and stage", .may = MAY_MEMBER,
     .object = OBJECT_PROJECT,
     .params = PARAMS(DAY("from", "first day, UTC; default 29 days before `to`"), DAY("to", "last day, UTC; default today"),
                      NUMBER("user", 1, 9007199254740991, "of this person only; annotators: always themselves")),
     .reply = "stat_throughput", .ok = 200, .handler = throughput_handler},
    {GET, .path = "/v1/projects/{id}/queues", .name = "queues", .summary = "What waits at each stage, and for how long", .may = MAY_MEMBER,
     .object = OBJECT_PROJECT, .reply = "stat_queues", .ok = 200, .handler = queues_handler},

    /* work */
    {POST, .path = "/v1/projects/{id}/claims", .name = "claim", .summary = "Take work under a lease", .may = WORKS, .object = OBJECT_PROJECT,
     .body = BODY_JSON, .request = "claim", .reply = "claimed", .ok = 200, .handler = claim_handler},
    {POST, .path = "/v1/heartbeats", .name = "heartbeats", .summary = "Keep many leases", .may = MAY_USER, .body = BODY_JSON,
     .request = "heartbeats", .reply = "beats", .ok = 200, .handler = heartbeats_handler},
    {POST, .path = "/v1/assignments/{id}/heartbeat", .name = "heartbeat", .summary = "Keep a lease", .may = WORKS, .object = OBJECT_ASSIGNMENT,
     .body = BODY_JSON, .may_be_empty = true, .if_match = true, .request = "heartbeat", .reply = "lease", .ok = 200, .handler = heartbeat_handler},
    {PUT, .path = "/v1/assignments/{id}/draft", .name = "draft_put", .summary = "Autosave", .may = LABELS, .object = OBJECT_ASSIGNMENT,
     .body = BODY_JSON, .max_body = LABEL_BODY, .if_match = true, .request = "draft", .reply = "saved", .ok = 200, .handler = draft_put_handler},
    {GET, .path = "/v1/assignments/{id}/draft", .name = "draft_get", .summary = "My draft", .may = LABELS, .object = OBJECT_ASSIGNMENT,
     .reply = "my_draft", .ok = 200, .handler = draft_get_handler},
    {POST, .path = "/v1/assignments/{id}/submit", .name = "submit", .summary = "Hand in an annotation", .may = LABELS, .object = OBJECT_ASSIGNMENT,
     .body = BODY_JSON, .max_body = LABEL_BODY, .if_match = true, .request = "submit", .reply = "handed_in", .ok = 200, .handler = submit_handler},
    {POST, .path = "/v1/assignments/{id}/verdict", .name = "verdict", .summary = "Accept, fix or reject in review or QA", .may = JUDGES,
     .object = OBJECT_ASSIGNMENT, .body = BODY_JSON, .max_body = LABEL_BODY, .if_match = true, .request = "verdict", .reply = "handed_in", .ok = 200,
     .handler = verdict_handler},
    {POST, .path = "/v1/assignments/{id}/skip", .name = "skip", .summary = "Skip a task", .may = LABELS, .object = OBJECT_ASSIGNMENT,
     .body = BODY_JSON, .may_be_empty = true, .if_match = true, .request = "skip", .reply = "handed_in", .ok = 200, .handler = skip_handler},
    {POST, .path = "/v1/assignments/{id}/release", .name = "release", .summary = "Give work back", .may = WORKS, .object = OBJECT_ASSIGNMENT,
     .if_match = true, .reply = "released", .ok = 200, .handler = release_handler},
    {POST, .path = "/v1/projects/{id}/predictions", .name = "predictions", .summary = "Hand in pre-labels", .may = MAY_MODEL,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .max_body = BULK_BODY, .request = "predictions", .reply = "predicted", .ok = 200,
     .handler = predictions_handler},

    /* erasure */
    {POST, .path = "/v1/tasks/{id}/erase", .name = "task_erase", .summary = "Have a task's content erased for good; what happened stays", .may = MAY_MANAGER,
     .object = OBJECT_TASK, .body = BODY_JSON, .if_match = true, .request = "task_erasure", .reply = "erasure", .ok = 202, .handler = task_erase_handler},
    {POST, .path = "/v1/users/{id}/erase", .name = "user_erase", .summary = "Have a person erased for good; their work stays, unless it is to go, too",
     .may = MAY_ADMIN, .body = BODY_JSON, .request = "user_erasure", .reply = "erasure", .ok = 202, .handler = user_erase_handler},
    {GET, .path = "/v1/erasures", .name = "erasure_list", .summary = "Orders of erasure: mine, an administrator's all", .may = MAY_USER,
     .params = PARAMS(PAGED), .reply = "erasures", .ok = 200, .handler = erasure_list_handler},
    {GET, .path = "/v1/erasures/{id}", .name = "erasure_get", .summary = "An order of erasure, and how far it is", .may = MAY_USER,
     .reply = "erasure", .ok = 200, .handler = erasure_get_handler},

    /* events */
    {GET, .path = "/v1/events", .name = "events", .summary = "What happens in my projects, as it happens (Server-Sent Events)", .may = MAY_USER,
     .params = PARAMS({"project", "integer", "\"minimum\":1", "of this project only"},
                      {"actions", "string", NULL, "of these actions only, ',' between"}),
     .serves = "text/event-stream", .ok = 200, .handler = events_handler},

    /* media */
    {POST, .path = "/v1/assets", .name = "asset_create", .summary = "Upload media, streamed", .may = MAY_USER, .body = BODY_STREAM,
     .reply = "asset", .ok = 201, .handler = asset_create_handler},
    {POST, .path = "/v1/assets/sign", .name = "media_sign", .summary = "Signed links to media; what is not there is left out", .may = MAY_USER,
     .body = BODY_JSON, .request = "sign", .reply = "signed", .ok = 200, .handler = media_sign_handler},
    {GET, .path = "/v1/assets/{sha256}", .name = "asset_get", .summary = "Media by its hash, or by a signed link; Range and ETag",
     .may = MAY_USER | MAY_LINK,
     .params = PARAMS(TEXT("sha256", "^[0-9a-f]{64}$", NULL), NUMBER("tenant", 1, 9007199254740991, "of a signed link"),
                      NUMBER("exp", 0, 9007199254740991, "of a signed link: dead from this second of 1970 on"),
                      ONE_OF("disposition", "\"attachment\"", "of a signed link"), TEXT("sig", "^[0-9a-f]{64}$", "of a signed link")),
     .serves = "*/*", .answers = ANSWERS_RANGES, .ok = 200,
     .handler = asset_get_handler},

    {GET, .path = "/v1/assets/{sha256}/info", .name = "asset_info", .summary = "What the headers of media say of them", .may = MAY_USER,
     .params = PARAMS(TEXT("sha256", "^[0-9a-f]{64}$", NULL)), .reply = "asset_info", .ok = 200, .handler = asset_info_handler},

    /* media in parts */
    {POST, .path = "/v1/uploads", .name = "upload_create", .summary = "Begin an upload in parts, or go on with one", .may = MAY_USER,
     .body = BODY_JSON, .request = "new_upload", .reply = "upload", .ok = 201, .handler = upload_create_handler},
    {GET, .path = "/v1/uploads/{id}", .name = "upload_get", .summary = "An upload of mine, and which parts are there", .may = MAY_USER,
     .reply = "upload", .ok = 200, .handler = upload_get_handler},
    {DELETE, .path = "/v1/uploads/{id}", .name = "upload_drop", .summary = "Give an upload up", .may = MAY_USER, .ok = 204,
     .handler = upload_drop_handler},
    {PUT, .path = "/v1/uploads/{id}/parts/{part}", .name = "upload_part", .summary = "One part, with its SHA-256 in Repr-Digest",
     .may = MAY_USER, .body = BODY_STREAM, .max_body = 64 << 20, .params = PARAMS(NUMBER("part", 1, 10000, NULL)), .reply = "upload_part",
     .ok = 200, .handler = upload_part_handler},
    {POST, .path = "/v1/uploads/{id}/complete", .name = "upload_complete", .summary = "Join the parts to an asset; safe to repeat",
     .may = MAY_USER, .reply = "asset", .ok = 201, .handler = upload_complete_handler},

    /* releases */
    {POST, .path = "/v1/projects/{id}/releases", .name = "release_create", .summary = "Freeze what is done as a release", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "new_release", .reply = "release", .ok = 202, .handler = release_create_handler},
    {GET, .path = "/v1/projects/{id}/releases", .name = "release_list", .summary = "A project's releases", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_PROJECT, .reply = "releases", .ok = 200, .handler = release_list_handler},
    {GET, .path = "/v1/releases/{id}", .name = "release_get", .summary = "A release", .may = MAY_VIEWER | JUDGES, .object = OBJECT_RELEASE,
     .reply = "release", .ok = 200, .handler = release_get_handler},
    {PATCH, .path = "/v1/releases/{id}", .name = "release_protect", .summary = "Protect a release from being deleted, or no longer",
     .may = MAY_MANAGER, .object = OBJECT_RELEASE, .body = BODY_JSON, .request = "release_protection", .reply = "release", .ok = 200,
     .handler = release_protect_handler},
    {DELETE, .path = "/v1/releases/{id}", .name = "release_delete", .summary = "Delete a release that is not protected", .may = MAY_MANAGER,
     .object = OBJECT_RELEASE, .ok = 204, .handler = release_delete_handler},
    {GET, .path = "/v1/releases/{id}/card", .name = "release_card", .summary = "A release's data card", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_RELEASE, .params = PARAMS(PARAM("people", "boolean", "true: with who annotated how much; managers only")),
     .reply = "release_card", .ok = 200, .handler = release_card_handler},
    {GET, .path = "/v1/releases/{id}/diff/{other_id}", .name = "release_diff", .summary = "What differs between two releases, streamed",
     .may = MAY_VIEWER | JUDGES, .object = OBJECT_RELEASE, .serves = "application/x-ndjson", .ok = 200, .handler = release_diff_handler},
    {GET, .path = "/v1/releases/{id}/lineage", .name = "release_lineage", .summary = "Where a release's labels come from, streamed",
     .may = MAY_MANAGER | MAY_VIEWER, .object = OBJECT_RELEASE, .serves = "application/x-ndjson", .ok = 200,
     .handler = release_lineage_handler},
    {GET, .path = "/v1/labels/{id}/releases", .name = "label_releases", .summary = "The releases that hold a label version",
     .may = MAY_VIEWER | JUDGES, .object = OBJECT_LABEL, .params = PARAMS(PAGED), .reply = "label_releases", .ok = 200,
     .handler = label_releases_handler},
    {GET, .path = "/v1/releases/{id}/export", .name = "release_export", .summary = "A release as a file, streamed", .may = MAY_MANAGER | MAY_VIEWER,
     .object = OBJECT_RELEASE, .ok = 200,
     .params = PARAMS(ONE_OF("format", "\"jsonl\",\"label-studio\",\"coco\",\"yolo\",\"yolo-segment\",\"yolo-obb\",\"yolo-pose\",\"voc\",\"cvat\",\"label-studio-min\",\"csv\",\"conll\",\"asr\",\"rttm\",\"yolo-classify\",\"imagefolder\",\"masks\",\"webdataset\",\"cvat-video\"", "default jsonl"),
                      ONE_OF("container", "\"file\",\"tar\",\"tar.zst\",\"zip\"", "file: the one file, as it is; default zip where there are several"),
                      PARAM("media", "boolean", "true: with the pictures, sounds and films; several files"),
                      PARAM("labelled", "boolean", "true: without tasks whose label is empty"),
                      NUMBER("skip", 0, 9007199254740991, "so many bytes are here already: the rest only"),
                      PARAM("sha256", "string", "of those bytes, in hex; 409 when the export does not begin with them")),
     .serves = "application/x-ndjson, application/json, text/csv, text/plain, application/x-tar, application/zstd, application/zip",
     .handler = release_export_handler},
    {POST, .path = "/v1/releases/{id}/exports", .name = "export_create", .summary = "Have an export made and kept, or find it made",
     .may = MAY_MANAGER | MAY_VIEWER, .object = OBJECT_RELEASE, .body = BODY_JSON, .may_be_empty = true, .request = "new_export", .reply = "export", .ok = 202,
     .handler = export_job_create_handler},
    {GET, .path = "/v1/releases/{id}/exports", .name = "export_list", .summary = "A release's exports", .may = MAY_MANAGER | MAY_VIEWER,
     .object = OBJECT_RELEASE, .reply = "exports", .ok = 200, .handler = export_job_list_handler},
    {GET, .path = "/v1/exports/{id}", .name = "export_get", .summary = "An export and how far it is", .may = MAY_MANAGER | MAY_VIEWER,
     .object = OBJECT_EXPORT, .reply = "export", .ok = 200, .handler = export_job_get_handler},
    {DELETE, .path = "/v1/exports/{id}", .name = "export_cancel", .summary = "Give up an export that is not done",
     .may = MAY_MANAGER | MAY_VIEWER, .object = OBJECT_EXPORT, .ok = 204, .handler = export_job_cancel_handler},
    {GET, .path = "/v1/exports/{id}/content", .name = "export_content", .summary = "An export's bytes; Range and ETag",
     .may = MAY_MANAGER | MAY_VIEWER, .object = OBJECT_EXPORT,
     .serves = "application/x-ndjson, application/json, application/x-tar, application/zstd, application/zip",
     .answers = ANSWERS_RANGES, .ok = 200, .handler = export_job_content_handler},
};
/* clang-format on */

const size_t route_count = ARRAY_LEN(routes);
