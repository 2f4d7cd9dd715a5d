-- For claimed tasks of a stage ($4): the label to look at (the head) and the newest version of each model, with where they lie. For a
-- review of submissions that did not agree also the sides (last column): the newest submission of each slot, backwards.
-- users: server
SELECT t.ord, l.id, l.kind, l.author, l.model, l.score, l.sha256, l.bytes, l.pack, l.pack_off, l.id = t.head, false, l.seq::bigint
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS t(ord, task, head)
JOIN LATERAL (
    SELECT DISTINCT ON (v.kind, v.model) v.* FROM label_version v
    WHERE v.task_id = t.task AND (v.kind = 'prelabel' OR v.id = t.head) AND v.pack <> '00000000-0000-0000-0000-000000000000'
    ORDER BY v.kind, v.model, v.seq DESC) l ON true
UNION ALL
SELECT t.ord, s.id, s.kind, s.author, s.model, s.score, s.sha256, s.bytes, s.pack, s.pack_off, false, true, -s.assignment_id
FROM unnest($1, $2, $3) AS t(ord, task, head)
JOIN task k ON k.id = t.task AND k.overlap > 1 AND k.rework_count = 0
JOIN label_version h ON h.id = t.head AND h.kind = 'submission'
JOIN LATERAL (
    SELECT DISTINCT ON (v.assignment_id) v.* FROM label_version v
    WHERE v.task_id = t.task AND v.kind = 'submission' AND v.pack <> '00000000-0000-0000-0000-000000000000'
    ORDER BY v.assignment_id, v.seq DESC) s ON true
WHERE $4::text = 'review'
ORDER BY 1, 12, 13
