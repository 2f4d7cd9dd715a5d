-- A task's work that came too late, oldest first.
-- users: server
SELECT l.id, l.task_id, l.seq, l.stage, l.author, l.parent, l.sha256, l.bytes, l.regions, l.lead_time, to_json(l.created_at),
       t.state, t.version, s.how, s.result, s.actor, to_json(s.at)
FROM task t JOIN label_version l ON l.task_id = t.id AND l.kind = 'late' LEFT JOIN late_settled s ON s.label_id = l.id
WHERE t.id = $1::bigint AND l.id > $2::bigint
ORDER BY l.id LIMIT $3::int
