-- A page of the keys that splits are drawn by, in task order.
-- users: export
SELECT i.task_id, coalesce(t.external_id, t.id::text)
FROM release_item i JOIN task t ON t.tenant_id = i.tenant_id AND t.id = i.task_id
WHERE i.tenant_id = $1::bigint AND i.release_id = $2::bigint AND i.task_id > $3::bigint
ORDER BY i.task_id LIMIT 5000
