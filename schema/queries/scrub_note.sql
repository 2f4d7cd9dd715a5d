-- What hashing again has found: $3 are as they should be, $4 are not ($5: how). $6, of labels: the pack that they were read from; what
-- has moved meanwhile is no finding.
-- users: upkeep
WITH good AS (
    DELETE FROM scrub_finding f USING unnest($3::text[]) AS g(id) WHERE f.tenant_id = $1::bigint AND f.kind = $2::text AND f.id = g.id
),
bad AS (
    INSERT INTO scrub_finding (tenant_id, kind, id, what)
    SELECT $1, $2, b.id, b.what FROM unnest($4::text[], $5::text[]) AS b(id, what)
    WHERE CASE $2 WHEN 'label' THEN EXISTS (SELECT FROM label_version l WHERE l.tenant_id = $1 AND l.id = b.id::bigint AND l.pack = $6::text::uuid)
                  ELSE EXISTS (SELECT FROM asset a WHERE a.tenant_id = $1 AND a.sha256 = decode(b.id, 'hex')) END
    ON CONFLICT (tenant_id, kind, id) DO UPDATE SET what = excluded.what, at = now()
    RETURNING 1
)
SELECT count(*) FROM bad
