-- Ends one of a user's own API tokens.
-- users: server
UPDATE api_token SET revoked_at = now() WHERE id = $1::bigint AND user_id = $2::bigint AND revoked_at IS NULL RETURNING id
