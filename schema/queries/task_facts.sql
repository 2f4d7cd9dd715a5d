-- What workflow_decide needs to know for a manager's decision on a task.
-- users: server
SELECT t.state, t.version, t.overlap, t.rework_count, t.skip_count, t.archived_from, t.head_label IS NOT NULL, coalesce(h.author, 0),
       (SELECT count(*) FROM assignment o WHERE o.task_id = t.id AND o.stage = 'annotate' AND o.state NOT IN ('submitted', 'skipped')),
       (SELECT array_agg(o.holder ORDER BY o.slot) FROM assignment o
        WHERE o.task_id = t.id AND o.stage = 'annotate' AND o.state = 'submitted'),
       (SELECT max(o.holder) FROM assignment o WHERE o.task_id = t.id AND o.stage = 'review' AND o.state = 'submitted'),
       ARRAY(
           -- who handed in a slot that is open again, or was given up: the label is theirs, too
           SELECT unnest(t.hands) UNION
           SELECT l.author FROM (SELECT DISTINCT ON (v.assignment_id) v.assignment_id, v.author FROM label_version v
                                 WHERE v.task_id = t.id AND v.kind = 'submission' ORDER BY v.assignment_id, v.seq DESC) l
           JOIN assignment o ON o.id = l.assignment_id WHERE o.state <> 'submitted'), t.gold, t.erasure IS NOT NULL
FROM task t LEFT JOIN label_version h ON h.id = t.head_label
WHERE t.id = $1::bigint
