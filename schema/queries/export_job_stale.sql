-- Exports whose time is over, at most $1, locked until export_job_expire.
-- users: upkeep
SELECT tenant_id, id, attempts FROM export_job
WHERE state = 'done' AND expires_at < now() ORDER BY expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED
