-- The header of a ready release ($1 tenant, $2 release).
-- users: stream
SELECT name, items, encode(root, 'hex'), split::text, splits::text,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), format
FROM release
WHERE tenant_id = $1::bigint AND id = $2::bigint AND state = 'ready'
