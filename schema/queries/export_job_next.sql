-- Takes the oldest export that waits, or whose maker is gone: it begins anew, as an attempt of its own, at most five times.
-- users: export
WITH one AS MATERIALIZED (
    SELECT tenant_id, id FROM export_job
    WHERE state = 'waiting' OR (state = 'running' AND lease_until < now())
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
),
j AS (
    UPDATE export_job k
    SET state = CASE WHEN k.attempts < 5 THEN 'running' ELSE 'failed' END, attempts = k.attempts + 1, done = 0,
        lease_until = now() + interval '15 seconds', ended_at = CASE WHEN k.attempts >= 5 THEN now() END,
        error = CASE WHEN k.attempts >= 5 THEN 'whoever made it was ended in the middle, five times' END
    FROM one WHERE k.tenant_id = one.tenant_id AND k.id = one.id
    RETURNING k.*
)
SELECT j.tenant_id, j.id, j.release_id, j.format, j.container, j.media, j.labelled, j.attempts, j.state, r.name, encode(r.root, 'hex'), c.xml,
       r.items
FROM j
JOIN release r ON r.tenant_id = j.tenant_id AND r.id = j.release_id
JOIN label_config c ON c.tenant_id = j.tenant_id AND c.project_id = r.project_id AND c.version = r.label_config_version
