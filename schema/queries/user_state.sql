-- What a login token's word is held against.
-- users: server
SELECT admin, disabled, token_epoch FROM app_user WHERE id = $1::bigint
