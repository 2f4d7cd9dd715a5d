-- The end of a tenant that has no rows any more.
-- users: cli
DELETE FROM tenant WHERE id = $1::bigint RETURNING id
