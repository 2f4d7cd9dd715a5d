-- The first answer under an Idempotency-Key of a person, and what it answered.
-- users: server
SELECT request, status, answer FROM idempotency_key WHERE user_id = $1::bigint AND key = $2::text
