-- Tasks whose label has changed since its values were read, and where the label lies.
-- users: upkeep
SELECT s.tenant_id, s.task_id, s.stamp, t.project_id, l.sha256, l.bytes, l.pack, l.pack_off
FROM (SELECT * FROM label_stale ORDER BY tenant_id, task_id LIMIT $1::int) s
LEFT JOIN task t ON t.tenant_id = s.tenant_id AND t.id = s.task_id
LEFT JOIN label_version l ON l.tenant_id = t.tenant_id AND l.id = t.head_label
    AND l.pack <> '00000000-0000-0000-0000-000000000000' -- what was erased has no values
