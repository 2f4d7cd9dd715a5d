-- A part is durable. No row: the upload has been given up. Another content of the same part breaks upload_part_stored.
-- users: server
UPDATE upload_part p SET stored = true, bytes = $4::bigint FROM upload u
WHERE p.upload_id = $1::bigint AND p.n = $2::int AND p.sha256 = $3::bytea AND u.id = p.upload_id AND NOT u.removing RETURNING p.n
