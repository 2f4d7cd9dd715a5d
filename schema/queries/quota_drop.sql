-- Takes a limit away.
-- users: cli
DELETE FROM quota WHERE name = $1::text
