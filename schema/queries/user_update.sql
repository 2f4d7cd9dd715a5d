-- Changes a user; NULL leaves a member as it is. Disabling ends the user's login tokens for good.
-- users: server
UPDATE app_user
SET name = coalesce($2::text, name), admin = coalesce($3::bool, admin), disabled = coalesce($4::bool, disabled),
    token_epoch = token_epoch + CASE WHEN coalesce($4, false) AND NOT disabled THEN 1 ELSE 0 END
WHERE id = $1::bigint
RETURNING id, email, name, admin, disabled
