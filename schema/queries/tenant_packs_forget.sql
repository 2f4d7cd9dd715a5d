-- Forgets packs whose objects are removed.
-- users: cli
DELETE FROM pack WHERE id = ANY ($1::text[]::uuid[])
