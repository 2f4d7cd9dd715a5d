-- Where an order stands, for who carries it out now.
-- users: upkeep
UPDATE erasure SET state = 'running'
WHERE tenant_id = $1::bigint AND id = $2::bigint AND state <> 'done' AND due_at <= now()
RETURNING step, place, task_id, user_id, dry_run, created_at > now() - interval '15 seconds'
