-- What a person's own change of password needs to know.
-- users: server
SELECT email, name, password, admin FROM app_user WHERE id = $1::bigint AND NOT disabled
