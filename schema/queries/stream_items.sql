-- The items of a release ($1 tenant, $2 release) from number $3 on, in the order its root hash is built in: by bucket, the first
-- 12 bits of SHA-256 of the key, then by the key's bytes. A held cursor, as in stream_batch.
-- users: stream
DECLARE stream_items NO SCROLL CURSOR WITH HOLD FOR
SELECT k.key, i.label_id, encode(i.label_sha256, 'hex'), i.split,
       (SELECT string_agg(encode(a.sha, 'hex'), ',' ORDER BY a.n) FROM unnest(i.asset_sha256) WITH ORDINALITY a (sha, n))
FROM release_item i
JOIN release r ON r.tenant_id = i.tenant_id AND r.id = i.release_id
JOIN task t ON t.tenant_id = i.tenant_id AND t.id = i.task_id
CROSS JOIN LATERAL (SELECT release_key(r.format, t.external_id, t.id) AS key) k
CROSS JOIN LATERAL (SELECT sha256(convert_to(k.key, 'UTF8')) AS hash) h
WHERE i.tenant_id = $1::bigint AND i.release_id = $2::bigint
ORDER BY get_byte(h.hash, 0) * 16 + get_byte(h.hash, 1) / 16, k.key COLLATE "C"
OFFSET $3::bigint
