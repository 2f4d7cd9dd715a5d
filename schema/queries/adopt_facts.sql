-- What is to become a task's label ($2), what is its label now, and what both began from: for late work the label that its author
-- was shown, which is the head when they claimed, or else what a model had said by then. Then what workflow_decide needs to know.
-- Places are sha256, bytes, pack, pack_off.
-- users: server
SELECT t.state, t.version, t.overlap, t.rework_count, t.skip_count, coalesce(h.author, 0),
       (SELECT array_agg(o.holder ORDER BY o.slot) FROM assignment o
        WHERE o.task_id = t.id AND o.stage = 'annotate' AND o.state = 'submitted'),
       (SELECT max(o.holder) FROM assignment o WHERE o.task_id = t.id AND o.stage = 'review' AND o.state = 'submitted'),
       ARRAY(
           -- who handed in a slot that is open again, or was given up: the label is theirs, too
           SELECT unnest(t.hands) UNION
           SELECT l.author FROM (SELECT DISTINCT ON (v.assignment_id) v.assignment_id, v.author FROM label_version v
                                 WHERE v.task_id = t.id AND v.kind = 'submission' ORDER BY v.assignment_id, v.seq DESC) l
           JOIN assignment o ON o.id = l.assignment_id WHERE o.state <> 'submitted'), s.kind, s.author, z.how,
       s.sha256, s.bytes, s.pack, s.pack_off, h.sha256, h.bytes, h.pack, h.pack_off, b.sha256, b.bytes, b.pack, b.pack_off, h.id
FROM label_version s JOIN task t ON t.id = s.task_id
LEFT JOIN label_version h ON h.id = t.head_label
LEFT JOIN late_settled z ON z.label_id = s.id
LEFT JOIN LATERAL (
    SELECT e.seq FROM event e
    WHERE e.task_id = s.task_id AND e.assignment_id = s.assignment_id AND e.assignment_version = s.assignment_version
      AND e.action = 'claim' ORDER BY e.seq LIMIT 1) c ON s.kind = 'late'
LEFT JOIN LATERAL (
    SELECT v.sha256, v.bytes, v.pack, v.pack_off
    FROM event e JOIN label_version v ON v.id = e.label_id OR (v.parent = e.label_id AND v.kind = 'merge' AND v.author IS NULL)
    WHERE e.task_id = s.task_id AND e.seq < c.seq AND e.action <> 'late' AND v.task_id = s.task_id
      AND (v.kind <> 'submission' OR e.to_state <> 'annotate')
    ORDER BY v.kind = 'prelabel', v.seq DESC LIMIT 1) b ON true
WHERE s.id = $2::bigint AND (s.task_id = $1::bigint OR $1 IS NULL)
