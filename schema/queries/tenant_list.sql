-- All tenants. Their number is small: they are customers, not people.
-- users: cli
SELECT id, name, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM tenant ORDER BY id
