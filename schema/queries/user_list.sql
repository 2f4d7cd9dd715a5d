-- A page of the tenant's users. $3: those disabled instead of the others.
-- users: server
SELECT id, email, name, admin FROM app_user WHERE id > $1::bigint AND disabled = $3::bool ORDER BY id LIMIT $2::int
