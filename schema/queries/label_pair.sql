-- Two versions of one task's label, in the order asked, and where their content lies.
-- users: server
SELECT l.id, l.task_id, l.seq, l.stage, l.kind, l.author, l.model, l.score, l.parent, l.sha256, l.bytes, l.regions, l.lead_time,
       to_json(l.created_at), to_json(l.merged_from), l.pack = '00000000-0000-0000-0000-000000000000', l.pack, l.pack_off
FROM unnest(ARRAY[$1::bigint, $2::bigint]) WITH ORDINALITY AS k(id, ord)
JOIN label_version l ON l.id = k.id
WHERE l.task_id = (SELECT task_id FROM label_version WHERE id = $1)
ORDER BY k.ord
