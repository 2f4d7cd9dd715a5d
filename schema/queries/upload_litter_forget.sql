-- Forgets parts whose blobs are gone, as upload_litter named them.
-- users: upkeep
DELETE FROM upload_part p USING (
    SELECT g.tenant_id, split_part(g.name, '/', 1)::bigint AS upload_id, split_part(split_part(g.name, '/', 2), '.', 1)::int AS n,
        decode(split_part(g.name, '.', 2), 'hex') AS sha256
    FROM unnest($1::bigint[], $2::text[]) AS g(tenant_id, name)) g
WHERE p.tenant_id = g.tenant_id AND p.upload_id = g.upload_id AND p.n = g.n AND p.sha256 = g.sha256
