-- Ends an API token; no row when there is none.
-- users: cli
UPDATE api_token SET revoked_at = COALESCE(revoked_at, now()) WHERE id = $1::bigint RETURNING id
