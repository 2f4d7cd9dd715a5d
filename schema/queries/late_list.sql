-- A project's work that came too late, oldest first: what is open, or with $4 all of it.
-- users: server
SELECT l.id, l.task_id, l.seq, l.stage, l.author, l.parent, l.sha256, l.bytes, l.regions, l.lead_time, to_json(l.created_at),
       t.state, t.version, s.how, s.result, s.actor, to_json(s.at)
FROM label_version l JOIN task t ON t.id = l.task_id LEFT JOIN late_settled s ON s.label_id = l.id
WHERE l.project_id = $1::bigint AND l.kind = 'late' AND l.id > $2::bigint AND ($4::bool OR s.label_id IS NULL)
ORDER BY l.id LIMIT $3::int
