-- All versions of a task's label, oldest first, without their content.
-- users: server
SELECT id, task_id, seq, stage, kind, author, model, score, parent, sha256, bytes, regions, lead_time, to_json(created_at),
       to_json(merged_from), pack = '00000000-0000-0000-0000-000000000000'
FROM label_version WHERE task_id = $1::bigint ORDER BY seq
