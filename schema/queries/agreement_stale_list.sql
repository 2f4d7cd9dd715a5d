-- Tasks whose submissions have changed since they were compared, with the newest submission of each submitted annotate slot, by slot;
-- one row without a label for a task that has none.
-- users: upkeep
SELECT s.tenant_id, s.task_id, s.stamp, t.project_id, l.author, l.sha256, l.bytes, l.pack, l.pack_off
FROM (SELECT * FROM agreement_stale ORDER BY tenant_id, task_id LIMIT $1::int) s
LEFT JOIN task t ON t.tenant_id = s.tenant_id AND t.id = s.task_id
LEFT JOIN LATERAL (
    SELECT DISTINCT ON (v.assignment_id) v.* FROM label_version v
    JOIN assignment a ON a.tenant_id = v.tenant_id AND a.id = v.assignment_id AND a.state = 'submitted' AND a.stage = 'annotate'
    WHERE v.tenant_id = s.tenant_id AND v.task_id = s.task_id AND v.kind = 'submission' AND NOT t.gold
      AND v.pack <> '00000000-0000-0000-0000-000000000000' -- what was erased says nothing
    ORDER BY v.assignment_id, v.seq DESC) l ON true
ORDER BY s.tenant_id, s.task_id, l.assignment_id
