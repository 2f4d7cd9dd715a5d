-- Orders a release; annotate-export builds it.
-- users: server
INSERT INTO release (tenant_id, project_id, name, split, salt, created_by)
VALUES (current_setting('app.tenant')::bigint, $1::bigint, $2::text, $3::json, $4::text, $5::bigint)
RETURNING id
