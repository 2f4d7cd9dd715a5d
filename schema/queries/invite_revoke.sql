-- Takes an invite back, one's own or, as an administrator ($3), anybody's.
-- users: server
UPDATE invite SET revoked_at = now()
WHERE id = $1::bigint AND accepted_at IS NULL AND revoked_at IS NULL AND ($3::bool OR created_by = $2::bigint)
RETURNING id
