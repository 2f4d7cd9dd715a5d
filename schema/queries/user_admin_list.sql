-- One page of the tenant's users, by id.
-- users: cli
SELECT id, email, name, admin, disabled, password IS NOT NULL FROM app_user WHERE id > $1::bigint ORDER BY id LIMIT 1000
