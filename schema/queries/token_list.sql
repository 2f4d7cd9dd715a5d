-- A user's living API tokens.
-- users: server
SELECT id, name, to_json(created_at) FROM api_token WHERE user_id = $1::bigint AND revoked_at IS NULL ORDER BY id
