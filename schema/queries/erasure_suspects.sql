-- Which of these packs of a tenant hold documents that no row names any more: dead ones, and such that have no row at all. Answers
-- their places in the question, and whether somebody may still be at work with it.
-- users: upkeep
SELECT s.ord, CASE WHEN p.id IS NULL THEN s.stored > extract(epoch FROM now()) - 900 ELSE p.dead_at > now() - interval '60 seconds' END
FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS s(id, stored, ord)
LEFT JOIN pack p ON p.tenant_id = $1::bigint AND p.id = s.id::uuid
WHERE p.id IS NULL
   OR (p.dead_at IS NOT NULL AND NOT EXISTS (SELECT FROM label_version l WHERE l.tenant_id = $1 AND l.pack = p.id))
ORDER BY s.ord
