-- The tenant of a name.
-- users: cli
SELECT id FROM tenant WHERE name = $1::text
