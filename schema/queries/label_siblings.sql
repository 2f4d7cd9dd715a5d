-- The submissions to compare at a task's last slot: the newest of each submitted annotate slot, with where they lie.
-- users: server
SELECT k.ord, l.id, l.author, l.regions, l.sha256, l.bytes, l.pack, l.pack_off, l.assignment_id
FROM unnest($1::int[], $2::bigint[]) AS k(ord, task)
JOIN LATERAL (
    SELECT DISTINCT ON (v.assignment_id) v.* FROM label_version v
    JOIN assignment a ON a.id = v.assignment_id AND a.state = 'submitted' AND a.stage = 'annotate'
    WHERE v.task_id = k.task AND v.kind = 'submission' AND v.pack <> '00000000-0000-0000-0000-000000000000'
    ORDER BY v.assignment_id, v.seq DESC) l ON true
ORDER BY k.ord, l.assignment_id
