-- A new upload in parts; or the person's open one of the same content; or one that is complete, as the content is there already.
-- $4: bytes that there is room for beside open uploads and those given up that are still stored, NULL: any; $5: open uploads that a
-- person may have. Row: too many, no room, upload.
-- users: server
WITH o AS (SELECT current_setting('app.tenant')::bigint AS tenant, $1::bigint AS user_id, $2::bigint AS bytes, $3::bytea AS sha256),
known AS (SELECT a.sha256 FROM o JOIN asset a ON a.sha256 = o.sha256 WHERE a.bytes = o.bytes),
resumed AS (
    UPDATE upload u SET touched_at = now() WHERE u.id = (SELECT v.id FROM o JOIN upload v ON v.user_id = o.user_id AND v.asset IS NULL
        WHERE v.sha256 = o.sha256 AND v.bytes = o.bytes AND NOT v.removing ORDER BY v.id LIMIT 1) AND NOT EXISTS (SELECT FROM known)
    RETURNING u.*),
why AS (SELECT
    EXISTS (SELECT FROM upload v WHERE v.user_id = o.user_id AND v.asset IS NULL AND NOT v.removing OFFSET $5::int - 1 LIMIT 1) AS too_many,
    CASE WHEN $4::bigint IS NULL THEN false
         ELSE o.bytes + coalesce((SELECT sum(v.bytes) FROM upload v WHERE v.asset IS NULL), 0) > $4 END AS no_room
    FROM o),
made AS (
    INSERT INTO upload (tenant_id, user_id, bytes, sha256, asset)
    SELECT o.tenant, o.user_id, o.bytes, o.sha256, k.sha256 FROM o CROSS JOIN why w LEFT JOIN known k ON true
    WHERE NOT EXISTS (SELECT FROM resumed) AND (k.sha256 IS NOT NULL OR NOT (w.too_many OR w.no_room))
    RETURNING *)
SELECT w.too_many, w.no_room, (SELECT upload_json(x::upload) FROM (SELECT * FROM made UNION ALL SELECT * FROM resumed) x) FROM why w
