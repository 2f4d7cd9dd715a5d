-- Ends an export: done with $4 items, $5 bytes of hash $6, or failed with a reason ($7). No row as in export_job_step.
-- users: export
UPDATE export_job
SET state = CASE WHEN $7::text IS NULL THEN 'done' ELSE 'failed' END, done = $4::bigint, bytes = $5::bigint, sha256 = $6::bytea,
    error = $7, ended_at = now(), lease_until = NULL, expires_at = CASE WHEN $7 IS NULL THEN now() + interval '7 days' END
WHERE tenant_id = $1::bigint AND id = $2::bigint AND attempts = $3::int AND state = 'running'
RETURNING id
