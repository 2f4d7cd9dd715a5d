-- Small packs of one tenant that are to become one, oldest first: at least $1, none younger than $2 seconds, together at most $3 bytes,
-- $4 packs and $5 documents. Any tenant that has so many; tenants are few.
-- users: upkeep
WITH due AS MATERIALIZED (
    SELECT t.id FROM tenant t
    WHERE EXISTS (SELECT FROM pack p WHERE p.tenant_id = t.id AND p.bytes < 1048576 AND p.documents <= $5::int / 2 AND p.dead_at IS NULL AND p.failed_at IS NULL
                      AND p.created_at < now() - make_interval(secs => $2::int) OFFSET $1::int - 1 LIMIT 1)
    ORDER BY random() LIMIT 1
)
SELECT s.tenant_id, s.id FROM (
    SELECT p.*, sum(p.bytes) OVER oldest AS all_bytes, sum(p.documents) OVER oldest AS all_documents
    FROM due d CROSS JOIN LATERAL (
        SELECT k.tenant_id, k.id, k.bytes, k.documents, k.created_at FROM pack k
        WHERE k.tenant_id = d.id AND k.bytes < 1048576 AND k.documents <= $5 / 2 AND k.dead_at IS NULL AND k.failed_at IS NULL
            AND k.created_at < now() - make_interval(secs => $2)
        ORDER BY k.created_at LIMIT $4::int) p
    WINDOW oldest AS (ORDER BY p.created_at, p.id)) s
WHERE s.all_bytes <= $3::bigint AND s.all_documents <= $5
ORDER BY s.id
