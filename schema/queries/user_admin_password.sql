-- Sets a user's password hash; NULL ends password logins.
-- users: cli
UPDATE app_user SET password = $2::text WHERE id = $1::bigint RETURNING id
