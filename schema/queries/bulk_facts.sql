-- What workflow_decide needs to know of the tasks $2 of a project, or of a page ($4, $5) of those that are in state $3: with the open
-- or leased assignment of their stage, and whether $6 may not take it (I3: the same list that claims obey).
-- users: server
WITH wanted AS MATERIALIZED (
    SELECT t.id FROM (SELECT DISTINCT k FROM unnest($2::bigint[]) k) n JOIN task t ON t.id = n.k WHERE t.project_id = $1::bigint
    UNION ALL
    (SELECT t.id FROM task t WHERE t.project_id = $1 AND t.state = $3::text AND t.id > $4::bigint ORDER BY t.id LIMIT $5::int)
)
SELECT t.id, t.state, t.version, t.overlap, t.rework_count, t.skip_count, t.head_label IS NOT NULL, coalesce(h.author, 0),
       (SELECT array_agg(o.holder ORDER BY o.slot) FROM assignment o
        WHERE o.task_id = t.id AND o.stage = 'annotate' AND o.state = 'submitted'),
       (SELECT max(o.holder) FROM assignment o WHERE o.task_id = t.id AND o.stage = 'review' AND o.state = 'submitted'),
       t.hands, a.id, $6::bigint = ANY (a.excluded)
FROM wanted w JOIN task t ON t.id = w.id
LEFT JOIN label_version h ON h.id = t.head_label
LEFT JOIN assignment a ON a.task_id = t.id AND a.stage = t.state AND a.slot = 1 AND a.state IN ('open', 'leased')
ORDER BY t.id
