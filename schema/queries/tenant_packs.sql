-- Some packs of the tenant: their objects are to be removed.
-- users: cli
SELECT id FROM pack ORDER BY id LIMIT 500
