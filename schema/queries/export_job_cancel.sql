-- Gives an export up that is not done. Whoever makes it finds out with its next step.
-- users: server
UPDATE export_job SET state = 'cancelled', ended_at = now(), lease_until = NULL
WHERE id = $1::bigint AND state IN ('waiting', 'running')
RETURNING id
