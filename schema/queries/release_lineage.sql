-- A page of where a release's labels come from, in task order: each label with all versions that it grew out of, by parents and merges.
-- users: server
SELECT i.task_id, t.external_id, i.split, i.label_id, encode(i.label_sha256, 'hex'), l.seq, l.kind, l.label_config_version,
       to_json(l.created_at), to_json(coalesce(l.merged_from, '{}')), to_json(g.versions), to_json(g.authors), to_json(g.models),
       to_json((SELECT coalesce(array_agg(DISTINCT r.reviewer), '{}') FROM review r WHERE r.task_id = i.task_id
                AND (r.label_id = ANY (g.versions) OR r.fix_label = ANY (g.versions))))
FROM release_item i
JOIN task t ON t.id = i.task_id
JOIN label_version l ON l.id = i.label_id
CROSS JOIN LATERAL (
    WITH RECURSIVE grew (id) AS (
        SELECT l.id
        UNION
        SELECT f.id FROM grew w JOIN label_version v ON v.id = w.id CROSS JOIN LATERAL (
            SELECT v.parent UNION ALL SELECT unnest(v.merged_from)) f(id) WHERE f.id IS NOT NULL
    )
    SELECT array_agg(v.id ORDER BY v.seq) AS versions,
           coalesce(array_agg(DISTINCT v.author) FILTER (WHERE v.author IS NOT NULL), '{}') AS authors,
           coalesce(array_agg(DISTINCT v.model) FILTER (WHERE v.model IS NOT NULL), '{}') AS models
    FROM grew w JOIN label_version v ON v.id = w.id) g
WHERE i.release_id = $1::bigint AND i.task_id > $2::bigint
ORDER BY i.task_id LIMIT $3::int
