-- For claimed tasks: the label to look at (the head) and the newest version of each model, with where they lie.
-- users: server
SELECT t.ord, l.id, l.kind, l.author, l.model, l.score, l.sha256, l.bytes, l.pack, l.pack_off, l.id = t.head
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS t(ord, task, head)
JOIN LATERAL (
    SELECT DISTINCT ON (v.kind, v.model) v.* FROM label_version v
    WHERE v.task_id = t.task AND (v.kind = 'prelabel' OR v.id = t.head)
    ORDER BY v.kind, v.model, v.seq DESC) l ON true
ORDER BY t.ord, l.seq
