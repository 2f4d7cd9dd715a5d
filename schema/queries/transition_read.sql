-- All that workflow_decide needs to know of a batch of acting assignments, and what an earlier, identical request was answered.
-- Labels are met one by one, in subqueries that cannot be pulled up, and as a range of ids in its order: a plan made while there were
-- none takes just any index that begins with the tenant, unless the order asks for that of the ids, and would walk all labels later.
-- users: server
SELECT r.ord, a.id, a.stage, a.state, a.version, coalesce(a.holder, 0), a.slot,
       t.id, t.state, t.version, t.overlap, t.rework_count, t.skip_count, t.label_seq, coalesce(t.head_label, 0),
       s.slots_left, s.annotators, coalesce(s.reviewer, 0),
       coalesce((SELECT h.author FROM label_version h WHERE h.id BETWEEN t.head_label AND t.head_label ORDER BY h.id LIMIT 1), 0),
       e.action, e.to_state, e.task_version, e.label_id, e.seq, e.sha256, e.claimed, t.hands, s.elsewhere, t.gold
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $6::bytea[]) AS r(ord, id, version, actor, sha256)
JOIN assignment a ON a.id = r.id AND a.project_id = $5::bigint
JOIN task t ON t.id = a.task_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE o.stage = 'annotate' AND o.state IN ('open', 'leased') AND o.id <> a.id) AS slots_left,
           array_agg(o.holder ORDER BY o.slot) FILTER (WHERE o.stage = 'annotate' AND o.state = 'submitted') AS annotators,
           max(o.holder) FILTER (WHERE o.stage = 'review' AND o.state = 'submitted') AS reviewer,
           bool_or(o.holder = r.actor AND o.stage = 'annotate' AND o.id <> a.id AND o.state IN ('leased', 'submitted', 'skipped'))
               AS elsewhere -- the actor has another slot of the task
    FROM assignment o WHERE o.task_id = t.id) s
LEFT JOIN LATERAL (
    -- Only when the request cannot be a first one: its assignment is no longer leased under that version. What the same person
    -- did with it under that version: the claim, then what it led to; first in this order is what had the same label.
    SELECT e.action, e.to_state, e.task_version, e.label_id, k.seq, k.sha256, bool_or(e.action = 'claim') OVER () AS claimed
    FROM event e LEFT JOIN LATERAL (
        SELECT v.seq, v.sha256 FROM label_version v WHERE v.id BETWEEN e.label_id AND e.label_id ORDER BY v.id LIMIT 1) k ON true
    WHERE (a.state <> 'leased' OR a.version <> r.version)
      AND e.task_id = t.id AND e.assignment_id = a.id AND e.assignment_version = r.version AND e.actor = r.actor
      AND e.action NOT IN ('expire', 'release', 'assign', 'unassign')
    ORDER BY e.action = 'claim', k.sha256 IS NOT DISTINCT FROM r.sha256 DESC, e.seq DESC LIMIT 1) e ON true
ORDER BY r.ord
