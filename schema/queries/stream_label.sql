-- The label of a task ($1 tenant, $2 task) that became done with version $3, and the task's own data. $4 is the label the event
-- names, if any. While the task has not moved on its head is the answer; later the event's own label is.
-- users: stream
SELECT v.id, v.seq, v.kind::text, v.stage::text, v.author, v.model, v.regions, v.lead_time, v.label_config_version,
       encode(v.sha256, 'hex'), v.pack::text, v.pack_off, v.bytes,
       t.external_id, CASE WHEN octet_length(t.data::text) <= 1048576 THEN t.data::text END
FROM task t
LEFT JOIN label_version v ON v.tenant_id = t.tenant_id AND v.task_id = t.id
    AND v.id = CASE WHEN t.version = $3::bigint THEN coalesce(t.head_label, $4::bigint)
                    ELSE coalesce($4::bigint, t.head_label) END
WHERE t.tenant_id = $1::bigint AND t.id = $2::bigint
