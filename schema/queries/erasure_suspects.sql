-- Which of these packs of a tenant hold documents that no row names: dead ones, such that have no row at all, and live ones with more
-- documents than rows that name them (of an import of what was known, or of what lost a race). Answers their places in the question,
-- whether somebody may still be at work with it, and whether it is alive.
-- users: upkeep
SELECT s.ord,
       CASE WHEN p.id IS NULL THEN s.stored > extract(epoch FROM now()) - 900
            ELSE coalesce(p.dead_at, p.created_at) > now() - interval '60 seconds' END,
       n.named > 0
FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS s(id, stored, ord)
LEFT JOIN pack p ON p.tenant_id = $1::bigint AND p.id = s.id::uuid
CROSS JOIN LATERAL (
    SELECT count(DISTINCT l.pack_off) AS named FROM label_version l WHERE l.tenant_id = $1 AND l.pack = s.id::uuid) n
WHERE p.id IS NULL OR n.named = 0 OR p.documents > n.named
ORDER BY s.ord
