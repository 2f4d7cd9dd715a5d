-- Which of these hashes are those of erased documents of the tenant: their places in the question.
-- users: upkeep
SELECT h.ord FROM unnest($2::bytea[]) WITH ORDINALITY AS h(sha256, ord)
WHERE EXISTS (SELECT FROM label_version l WHERE l.tenant_id = $1::bigint AND l.sha256 = h.sha256 AND l.pack = '00000000-0000-0000-0000-000000000000')
ORDER BY h.ord
