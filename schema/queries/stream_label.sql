-- The label of a task ($1 tenant, $2 task) that became done with version $3 at time $4, and the task's own data. While the task has
-- not moved on that is its head; if it has, the newest label of that time (the head of then: a late label never is one).
-- users: stream
SELECT v.id, v.seq, v.kind::text, v.stage::text, v.author, v.model, v.regions, v.lead_time, v.label_config_version,
       encode(v.sha256, 'hex'), v.pack::text, v.pack_off, v.bytes,
       t.external_id, CASE WHEN octet_length(t.data::text) <= 1048576 THEN t.data::text END
FROM task t
LEFT JOIN label_version v ON v.tenant_id = t.tenant_id AND v.task_id = t.id
    AND v.id = CASE WHEN t.version = $3::bigint THEN t.head_label
                    ELSE (SELECT l.id FROM label_version l
                          WHERE l.tenant_id = t.tenant_id AND l.task_id = t.id AND l.kind <> 'late' AND l.created_at <= $4::timestamptz
                          ORDER BY l.seq DESC LIMIT 1) END
WHERE t.tenant_id = $1::bigint AND t.id = $2::bigint
