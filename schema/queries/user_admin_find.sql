-- The tenant's user of an address.
-- users: cli
SELECT id FROM app_user WHERE email = lower($1::text)
