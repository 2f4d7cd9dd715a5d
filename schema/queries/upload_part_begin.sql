-- A part is about to come ($4 NULL: only looks). Row, when the upload is open: bytes of the whole, of its other parts, hash of this part as stored.
-- users: server
WITH u AS (
    UPDATE upload SET touched_at = now() WHERE id = $1::bigint AND user_id = $2::bigint AND asset IS NULL AND NOT removing RETURNING tenant_id, id, bytes),
made AS (
    INSERT INTO upload_part (tenant_id, upload_id, n, sha256) SELECT u.tenant_id, u.id, $3::int, $4::bytea FROM u WHERE $4 IS NOT NULL
    ON CONFLICT DO NOTHING)
SELECT u.bytes, coalesce((SELECT sum(p.bytes) FROM upload_part p WHERE p.upload_id = u.id AND p.stored AND p.n <> $3), 0)::bigint,
    (SELECT p.sha256 FROM upload_part p WHERE p.upload_id = u.id AND p.n = $3 AND p.stored)
FROM u
