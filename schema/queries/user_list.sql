-- A page of the tenant's users.
-- users: server
SELECT id, email, name, admin FROM app_user WHERE id > $1::bigint AND NOT disabled ORDER BY id LIMIT $2::int
