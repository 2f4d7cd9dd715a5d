-- Closes imports whose server has not been heard of for a minute, at most $1. Their counts are exact: each chunk counts itself. Should
-- the server live after all, its next chunk opens the import again.
-- users: upkeep
WITH gone AS MATERIALIZED (
    SELECT tenant_id, id FROM import
    WHERE state IN ('checking', 'running') AND lease_until < now()
    LIMIT $1::int FOR UPDATE SKIP LOCKED
)
UPDATE import i
SET state = 'interrupted', ended_at = now(), updated_at = now(),
    error = coalesce(i.error, 'the server ended while it ran; what is counted is in, and the same file may be sent again')
FROM gone g WHERE i.tenant_id = g.tenant_id AND i.id = g.id
RETURNING i.id
