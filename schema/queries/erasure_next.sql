-- The order that is due longest. What another order's walk serves waits for that.
-- users: upkeep
SELECT tenant_id, id FROM erasure
WHERE state <> 'done' AND due_at <= now() AND (leader IS NULL OR leader = id)
ORDER BY due_at LIMIT 1
