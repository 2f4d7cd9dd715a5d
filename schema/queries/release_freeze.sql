-- Freezes a release's items in one statement, so in one snapshot: every done task with a label. Splits are set afterwards, in the
-- same transaction, by release_assign.
-- users: export
INSERT INTO release_item (tenant_id, release_id, task_id, label_id, split, label_sha256, asset_sha256)
SELECT t.tenant_id, $2::bigint, t.id, l.id, '', l.sha256,
       coalesce((SELECT array_agg(decode(m.part[1], 'hex') ORDER BY m.n)
                 FROM regexp_matches(t.data::text, '/v1/assets/([0-9a-f]{64})', 'g') WITH ORDINALITY AS m(part, n)), '{}')
FROM task t
JOIN label_version l ON l.tenant_id = t.tenant_id AND l.id = t.head_label
WHERE t.tenant_id = $1::bigint AND t.project_id = $3::bigint AND t.state = 'done'
