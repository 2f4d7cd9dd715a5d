-- A page of the keys that splits are drawn by, in task order: the value at the data path $4, or else the task's own; and the value at
-- the path $5, which may name a split.
-- users: export
SELECT i.task_id,
       coalesce(CASE WHEN $4::text IS NOT NULL THEN (SELECT coalesce(g.text, g.number::text) FROM field_value(t.data, $4) g) END,
                t.external_id, t.id::text),
       CASE WHEN $5::text IS NOT NULL THEN (SELECT p.text FROM field_value(t.data, $5) p) END
FROM release_item i JOIN task t ON t.tenant_id = i.tenant_id AND t.id = i.task_id
WHERE i.tenant_id = $1::bigint AND i.release_id = $2::bigint AND i.task_id > $3::bigint
ORDER BY i.task_id LIMIT 5000
