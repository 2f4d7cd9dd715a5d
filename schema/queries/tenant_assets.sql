-- Some media of the tenant: their objects are to be removed.
-- users: cli
SELECT sha256 FROM asset ORDER BY sha256 LIMIT 500
