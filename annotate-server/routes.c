/* The one table of the API: router, permissions, validation, /openapi.json, the authorization
 * matrix. A new endpoint is a handler in api/ and a row here. */
#include "annotate-server/http/route.h"

#include "annotate-server/api/assets.h"
#include "annotate-server/api/claim.h"
#include "annotate-server/api/health.h"
#include "annotate-server/api/people.h"
#include "annotate-server/api/projects.h"
#include "annotate-server/api/releases.h"
#include "annotate-server/api/statistics.h"
#include "annotate-server/api/task_search.h"
#include "annotate-server/api/tasks.h"
#include "annotate-server/api/work.h"

/* clang-format off */
#define GET    .method = HTTP_M_GET
#define POST   .method = HTTP_M_POST
#define PUT    .method = HTTP_M_PUT
#define PATCH  .method = HTTP_M_PATCH
#define DELETE .method = HTTP_M_DELETE
#define PARAM(name, type, doc) {name, type, doc}
#define PARAMS(...) (const struct param[]){__VA_ARGS__, {NULL, NULL, NULL}}
#define PAGED  PARAM("after", "integer", "the `next` of the page before"), PARAM("limit", "integer", "1 to 500, default 100")

enum {
    WORKS = MAY_ANNOTATOR | MAY_REVIEWER | MAY_QA | MAY_MODEL | MAY_MANAGER,
    LABELS = MAY_ANNOTATOR | MAY_REVIEWER | MAY_QA | MAY_MANAGER,
    JUDGES = MAY_REVIEWER | MAY_QA | MAY_MANAGER,
    LABEL_BODY = 4 << 20,
    BULK_BODY = 8 << 20,
};

const struct route routes[] = {
    /* operators */
    {GET, .path = "/healthz", .name = "health", .summary = "The process answers", .may = MAY_ANYONE, .ok = 200, .handler = health_handler},
    {GET, .path = "/readyz", .name = "ready", .summary = "The process can serve: the database answers", .may = MAY_ANYONE, .ok = 200, .handler = ready_handler},
    {GET, .path = "/metrics", .name = "metrics", .summary = "Prometheus metrics", .may = MAY_ANYONE, .ok = 200, .handler = metrics_handler},
    {GET, .path = "/openapi.json", .name = "openapi", .summary = "This document", .may = MAY_ANYONE, .ok = 200, .handler = openapi_handler},

    /* people */
    {POST, .path = "/v1/login", .name = "login", .summary = "Trade an e-mail address and a password for a token", .may = MAY_ANYONE,
     .body = BODY_JSON, .request = "login", .reply = "session", .ok = 200, .handler = login_handler},
    {GET, .path = "/v1/me", .name = "me", .summary = "Who I am and where I work", .may = MAY_USER, .reply = "me", .ok = 200, .handler = me_handler},
    {GET, .path = "/v1/users", .name = "user_list", .summary = "The tenant's users", .may = MAY_ADMIN, .params = PARAMS(PAGED),
     .reply = "users", .ok = 200, .handler = user_list_handler},
    {POST, .path = "/v1/users", .name = "user_create", .summary = "A new user", .may = MAY_ADMIN, .body = BODY_JSON, .request = "new_user",
     .reply = "user", .ok = 201, .handler = user_create_handler},
    {GET, .path = "/v1/tokens", .name = "token_list", .summary = "My API tokens", .may = MAY_USER, .reply = "tokens", .ok = 200, .handler = token_list_handler},
    {POST, .path = "/v1/tokens", .name = "token_create", .summary = "A new API token; shown once", .may = MAY_USER, .body = BODY_JSON,
     .request = "new_token", .reply = "token", .ok = 201, .handler = token_create_handler},
    {DELETE, .path = "/v1/tokens/{id}", .name = "token_revoke", .summary = "End an API token of mine", .may = MAY_USER, .ok = 204, .handler = token_revoke_handler},

    /* projects */
    {GET, .path = "/v1/projects", .name = "project_list", .summary = "Projects I belong to", .may = MAY_USER, .params = PARAMS(PAGED),
     .reply = "projects", .ok = 200, .handler = project_list_handler},
    {POST, .path = "/v1/projects", .name = "project_create", .summary = "A new project", .may = MAY_ADMIN, .body = BODY_JSON,
     .request = "new_project", .reply = "project", .ok = 201, .handler = project_create_handler},
    {GET, .path = "/v1/projects/{id}", .name = "project_get", .summary = "A project", .may = MAY_MEMBER, .object = OBJECT_PROJECT,
     .reply = "project", .ok = 200, .handler = project_get_handler},
    {PATCH, .path = "/v1/projects/{id}", .name = "project_update", .summary = "Change a project's settings", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .if_match = true, .request = "project_change", .reply = "project", .ok = 200,
     .handler = project_update_handler},
    {GET, .path = "/v1/projects/{id}/members", .name = "member_list", .summary = "Who belongs to a project", .may = MAY_MEMBER,
     .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "members", .ok = 200, .handler = member_list_handler},
    {PUT, .path = "/v1/projects/{id}/members/{user_id}", .name = "member_put", .summary = "Give a user a role", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "role", .reply = "member", .ok = 200, .handler = member_put_handler},
    {DELETE, .path = "/v1/projects/{id}/members/{user_id}", .name = "member_remove", .summary = "Take a user out of a project",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .ok = 204, .handler = member_remove_handler},
    {GET, .path = "/v1/projects/{id}/progress", .name = "progress", .summary = "Exact counters of a project", .may = MAY_MEMBER,
     .object = OBJECT_PROJECT, .reply = "progress", .ok = 200, .handler = progress_handler},

    /* tasks */
    {POST, .path = "/v1/projects/{id}/tasks", .name = "task_import", .summary = "Import tasks: a JSON array or NDJSON, streamed",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .body = BODY_STREAM, .reply = "imported", .ok = 201, .handler = task_import_handler},
    {GET, .path = "/v1/projects/{id}/tasks", .name = "task_list", .summary = "Tasks of a project", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_PROJECT, .params = PARAMS(PARAM("state", "string", "only tasks in this state"), PAGED), .reply = "tasks", .ok = 200,
     .handler = task_list_handler},
    {GET, .path = "/v1/tasks/{id}", .name = "task_get", .summary = "A task with its assignments", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_TASK, .reply = "task", .ok = 200, .handler = task_get_handler},
    {GET, .path = "/v1/tasks/{id}/labels", .name = "label_list", .summary = "All versions of a task's label", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_TASK, .reply = "labels", .ok = 200, .handler = label_list_handler},
    {GET, .path = "/v1/tasks/{id}/events", .name = "task_events", .summary = "A task's history", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_TASK, .params = PARAMS(PAGED), .reply = "events", .ok = 200, .handler = task_events_handler},
    {GET, .path = "/v1/tasks/{id}/comments", .name = "task_comments", .summary = "A task's comments", .may = MAY_MEMBER,
     .object = OBJECT_TASK, .params = PARAMS(PAGED), .reply = "comments", .ok = 200, .handler = task_comments_handler},
    {POST, .path = "/v1/tasks/{id}/reopen", .name = "task_reopen", .summary = "Send a finished or skipped task back", .may = MAY_MANAGER,
     .object = OBJECT_TASK, .body = BODY_JSON, .if_match = true, .request = "reopen", .reply = "moved", .ok = 200, .handler = task_reopen_handler},
    {POST, .path = "/v1/tasks/{id}/archive", .name = "task_archive", .summary = "Take a task out of the flow", .may = MAY_MANAGER,
     .object = OBJECT_TASK, .if_match = true, .reply = "moved", .ok = 200, .handler = task_archive_handler},
    {POST, .path = "/v1/tasks/{id}/restore", .name = "task_restore", .summary = "Put an archived task back", .may = MAY_MANAGER,
     .object = OBJECT_TASK, .if_match = true, .reply = "moved", .ok = 200, .handler = task_restore_handler},
    {GET, .path = "/v1/labels/{id}", .name = "label_get", .summary = "A label version with its content", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_LABEL, .reply = "label", .ok = 200, .handler = label_get_handler},

    /* search and statistics */
    {POST, .path = "/v1/projects/{id}/tasks/search", .name = "task_search", .summary = "Find tasks by a filter", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "search", .reply = "search_found", .ok = 200, .handler = task_search_handler},
    {GET, .path = "/v1/projects/{id}/fields", .name = "search_field_list", .summary = "Data paths that tasks are found by",
     .may = MAY_VIEWER | JUDGES, .object = OBJECT_PROJECT, .reply = "search_fields", .ok = 200, .handler = search_field_list_handler},
    {PUT, .path = "/v1/projects/{id}/fields/{path}", .name = "search_field_put", .summary = "Let tasks be found by a data path",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .reply = "search_field", .ok = 200, .handler = search_field_put_handler},
    {DELETE, .path = "/v1/projects/{id}/fields/{path}", .name = "search_field_drop", .summary = "Give up a data path",
     .may = MAY_MANAGER, .object = OBJECT_PROJECT, .ok = 204, .handler = search_field_drop_handler},
    {GET, .path = "/v1/projects/{id}/people", .name = "people", .summary = "What each member did; annotators see themselves",
     .may = MAY_MEMBER, .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "stat_people", .ok = 200, .handler = people_handler},
    {GET, .path = "/v1/projects/{id}/quality", .name = "quality", .summary = "What became of each member's labels; annotators see their own",
     .may = MAY_MEMBER, .object = OBJECT_PROJECT, .params = PARAMS(PAGED), .reply = "stat_quality", .ok = 200, .handler = quality_handler},
    {GET, .path = "/v1/projects/{id}/throughput", .name = "throughput", .summary = "What was done, by day and stage", .may = MAY_MEMBER,
     .object = OBJECT_PROJECT,
     .params = PARAMS(PARAM("from", "string", "first day, UTC; default 29 days before `to`"), PARAM("to", "string", "last day, UTC; default today"),
                      PARAM("user", "integer", "of this person only; annotators: always themselves")),
     .reply = "stat_throughput", .ok = 200, .handler = throughput_handler},
    {GET, .path = "/v1/projects/{id}/queues", .name = "queues", .summary = "What waits at each stage, and for how long", .may = MAY_MEMBER,
     .object = OBJECT_PROJECT, .reply = "stat_queues", .ok = 200, .handler = queues_handler},

    /* work */
    {POST, .path = "/v1/projects/{id}/claims", .name = "claim", .summary = "Take work under a lease", .may = WORKS, .object = OBJECT_PROJECT,
     .body = BODY_JSON, .request = "claim", .reply = "claimed", .ok = 200, .handler = claim_handler},
    {POST, .path = "/v1/heartbeats", .name = "heartbeats", .summary = "Keep many leases", .may = MAY_USER, .body = BODY_JSON,
     .request = "heartbeats", .reply = "beats", .ok = 200, .handler = heartbeats_handler},
    {POST, .path = "/v1/assignments/{id}/heartbeat", .name = "heartbeat", .summary = "Keep a lease", .may = WORKS, .object = OBJECT_ASSIGNMENT,
     .body = BODY_JSON, .if_match = true, .request = "heartbeat", .reply = "lease", .ok = 200, .handler = heartbeat_handler},
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
     .body = BODY_JSON, .if_match = true, .request = "skip", .reply = "handed_in", .ok = 200, .handler = skip_handler},
    {POST, .path = "/v1/assignments/{id}/release", .name = "release", .summary = "Give work back", .may = WORKS, .object = OBJECT_ASSIGNMENT,
     .if_match = true, .reply = "released", .ok = 200, .handler = release_handler},
    {POST, .path = "/v1/projects/{id}/predictions", .name = "predictions", .summary = "Hand in pre-labels", .may = MAY_MODEL,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .max_body = BULK_BODY, .request = "predictions", .reply = "predicted", .ok = 200,
     .handler = predictions_handler},

    /* media */
    {POST, .path = "/v1/assets", .name = "asset_create", .summary = "Upload media, streamed", .may = MAY_USER, .body = BODY_STREAM,
     .reply = "asset", .ok = 201, .handler = asset_create_handler},
    {GET, .path = "/v1/assets/{sha256}", .name = "asset_get", .summary = "Media by its hash; Range and ETag", .may = MAY_USER, .ok = 200,
     .handler = asset_get_handler},

    /* releases */
    {POST, .path = "/v1/projects/{id}/releases", .name = "release_create", .summary = "Freeze what is done as a release", .may = MAY_MANAGER,
     .object = OBJECT_PROJECT, .body = BODY_JSON, .request = "new_release", .reply = "release", .ok = 202, .handler = release_create_handler},
    {GET, .path = "/v1/projects/{id}/releases", .name = "release_list", .summary = "A project's releases", .may = MAY_VIEWER | JUDGES,
     .object = OBJECT_PROJECT, .reply = "releases", .ok = 200, .handler = release_list_handler},
    {GET, .path = "/v1/releases/{id}", .name = "release_get", .summary = "A release", .may = MAY_VIEWER | JUDGES, .object = OBJECT_RELEASE,
     .reply = "release", .ok = 200, .handler = release_get_handler},
    {GET, .path = "/v1/releases/{id}/export", .name = "release_export", .summary = "A release as a file, streamed", .may = MAY_MANAGER | MAY_VIEWER,
     .object = OBJECT_RELEASE, .params = PARAMS(PARAM("format", "string", "jsonl (default) or label-studio")), .ok = 200,
     .handler = release_export_handler},
};
/* clang-format on */

const size_t route_count = ARRAY_LEN(routes);
