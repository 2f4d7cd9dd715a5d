-- Sets the splits of a chunk of a release's items.
-- users: export
UPDATE release_item i SET split = s.split
FROM unnest($3::bigint[], $4::text[]) AS s(task, split)
WHERE i.tenant_id = $1::bigint AND i.release_id = $2::bigint AND i.task_id = s.task
