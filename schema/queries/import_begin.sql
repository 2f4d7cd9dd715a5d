-- An import begins. $1 project, $2 who, $3 what becomes of bad items, $4 its state. Row: its id.
-- users: server
INSERT INTO import (tenant_id, project_id, created_by, errors, state)
VALUES (current_setting('app.tenant')::bigint, $1::bigint, $2::bigint, $3::text, $4::text)
RETURNING id
