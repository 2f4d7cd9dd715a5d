-- Some parts of the tenant's uploads: their objects are to be removed.
-- users: cli
SELECT upload_id || '/' || n || '.' || encode(sha256, 'hex') FROM upload_part ORDER BY upload_id, n, sha256 LIMIT 500
