-- Some media of the tenant: their objects are to be removed.
-- users: cli
SELECT encode(sha256, 'hex') FROM asset ORDER BY sha256 LIMIT 500
