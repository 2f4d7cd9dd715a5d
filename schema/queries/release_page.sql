-- A page of a ready release's items with all that an export writes of them, in task order. Nothing here changes after the release was
-- built: a task was last updated, for this, when its label was made.
-- users: server export
SELECT i.task_id, t.data, t.meta, t.external_id, i.split, l.id, l.seq, l.kind, l.author, l.model, l.lead_time, to_json(l.created_at),
       l.sha256, l.bytes, l.pack, l.pack_off, to_json(t.created_at), to_json(l.created_at), t.project_id,
       (SELECT count(*) FROM label_version v WHERE v.tenant_id = i.tenant_id AND v.task_id = i.task_id AND v.kind = 'prelabel'
           AND v.seq <= l.seq), l.regions,
       (SELECT json_agg(json_build_array(encode(s.sha256, 'hex'), s.media_type, s.bytes, coalesce(s.width, 0), coalesce(s.height, 0),
                                         coalesce(s.duration_ms, 0))
                        ORDER BY u.ord)
        FROM unnest(i.asset_sha256) WITH ORDINALITY AS u(sha256, ord)
        JOIN asset s ON s.tenant_id = i.tenant_id AND s.sha256 = u.sha256)
FROM release_item i
JOIN task t ON t.tenant_id = i.tenant_id AND t.id = i.task_id
JOIN label_version l ON l.tenant_id = i.tenant_id AND l.id = i.label_id
WHERE i.tenant_id = current_setting('app.tenant')::bigint AND i.release_id = $1::bigint AND i.task_id > $2::bigint
ORDER BY i.task_id LIMIT $3::int
