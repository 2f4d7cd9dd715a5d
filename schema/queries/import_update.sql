-- How far an import is: while its body is checked, and at its end ($2 state, $6 the first error). What was created is counted by
-- the chunks themselves.
-- users: server
UPDATE import
SET state = $2::text, seen = $3::bigint, failed = $4::bigint, bytes = $5::bigint, error = $6::text, updated_at = now(),
    lease_until = now() + interval '1 minute',
    ended_at = CASE WHEN $2 IN ('done', 'failed') THEN now() END
WHERE id = $1::bigint
