-- A page of a project's tasks, by id; $2 NULL: of every state.
-- users: server
SELECT t.id, t.state, t.version, t.data, t.external_id, t.priority, t.overlap, t.rework_count, to_json(t.created_at)
FROM task t
WHERE t.project_id = $1::bigint AND t.id > $3::bigint
  AND t.state = ANY (CASE WHEN $2::text IS NULL
        THEN ARRAY['prelabel', 'annotate', 'review', 'qa', 'done', 'skipped', 'archived'] ELSE ARRAY[$2] END)
ORDER BY t.id LIMIT $4::int
