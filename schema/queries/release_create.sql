-- Orders a release; annotate-export builds it. Answers like release_get.
-- users: server
INSERT INTO release (tenant_id, project_id, name, split, salt, created_by, filter, group_by, pin_by, description, licence, protected)
VALUES (current_setting('app.tenant')::bigint, $1::bigint, $2::text, $3::json, $4::text, $5::bigint, $6::json, $7::text, $8::text,
        $9::text, $10::text, $11::bool)
RETURNING id, project_id, name, state, items, root, splits, to_json(created_at), error, split, salt, format, filter, group_by, pin_by,
       description, licence, protected, warnings
