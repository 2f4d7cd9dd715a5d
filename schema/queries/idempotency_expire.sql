-- Forgets answers older than 24 h, a bounded batch. Rows: what went.
-- users: upkeep
DELETE FROM idempotency_key k
USING (SELECT tenant_id, user_id, key FROM idempotency_key WHERE created_at < now() - interval '24 hours'
       LIMIT $1::int FOR UPDATE SKIP LOCKED) o
WHERE k.tenant_id = o.tenant_id AND k.user_id = o.user_id AND k.key = o.key
RETURNING 1
