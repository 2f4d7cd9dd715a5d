-- Freezes the tasks $3 with their labels into a release, as release_freeze does.
-- users: export
INSERT INTO release_item (tenant_id, release_id, task_id, label_id, split, label_sha256, asset_sha256)
SELECT t.tenant_id, $2::bigint, t.id, l.id, '', l.sha256,
       coalesce((SELECT array_agg(decode(m.part[1], 'hex') ORDER BY m.n)
                 FROM regexp_matches(t.data::text, '/v1/assets/([0-9a-f]{64})', 'g') WITH ORDINALITY AS m(part, n)), '{}')
FROM unnest($3::bigint[]) AS u(id)
JOIN task t ON t.tenant_id = $1::bigint AND t.id = u.id
JOIN label_version l ON l.tenant_id = t.tenant_id AND l.id = t.head_label
