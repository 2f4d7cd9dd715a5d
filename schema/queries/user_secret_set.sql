-- A new password in the place of the one that was shown ($2 is its hash); all login tokens of before are ended.
-- users: server
UPDATE app_user SET password = $3::text, token_epoch = token_epoch + 1
WHERE id = $1::bigint AND password = $2::text AND NOT disabled
RETURNING token_epoch
