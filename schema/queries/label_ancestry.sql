-- A version of a task's label ($2; null: the task's label) and at most $3 in all of those made before it, newest first, and where their
-- content lies. None when the task has no label.
-- users: server
SELECT l.id, l.task_id, l.seq, l.stage, l.kind, l.author, l.model, l.score, l.parent, l.sha256, l.bytes, l.regions, l.lead_time,
       to_json(l.created_at), to_json(l.merged_from), l.pack = '00000000-0000-0000-0000-000000000000', l.pack, l.pack_off, l.merged_from
FROM (SELECT coalesce($2::bigint, t.head_label) AS id FROM task t WHERE t.id = $1::bigint) head
JOIN label_version h ON h.id = head.id AND h.task_id = $1
JOIN label_version l ON l.task_id = $1 AND l.seq <= h.seq
ORDER BY l.seq DESC LIMIT $3::int
