-- The next task ids of a search along external_id, from $2 to $3, behind $4.
-- users: server
SELECT id, external_id FROM task
WHERE project_id = $1::bigint AND external_id IS NOT NULL AND external_id >= $2::text AND external_id <= $3::text
  AND external_id > $4::text
ORDER BY external_id LIMIT $5::int
