-- An upload that is to be joined, a row a part: the upload's bytes and hash, the upload if it is complete; the part's number, bytes and hash.
-- users: server
WITH u AS (UPDATE upload SET touched_at = now() WHERE id = $1::bigint AND user_id = $2::bigint AND NOT removing RETURNING *)
SELECT u.bytes, u.sha256, CASE WHEN u.asset IS NOT NULL THEN upload_json(u::upload)->'asset' END, p.n, p.bytes, p.sha256
FROM u LEFT JOIN upload_part p ON p.upload_id = u.id AND p.stored ORDER BY p.n
