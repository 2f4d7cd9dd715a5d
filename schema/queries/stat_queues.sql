-- Each stage's queue: how many tasks are in it, and which has been there longest.
-- users: server
SELECT s.stage, (SELECT coalesce(sum(c.delta), 0) FROM counter c WHERE c.project_id = $1::bigint AND c.name = 'task.' || s.stage)::bigint,
       o.task_id, to_json(o.since), extract(epoch FROM now() - o.since)::bigint,
       to_json((SELECT p.at FROM reader_position p WHERE p.name = 'digest'))
FROM unnest(ARRAY['prelabel', 'annotate', 'review', 'qa']) WITH ORDINALITY AS s(stage, ord)
LEFT JOIN LATERAL (
    SELECT q.task_id, q.since FROM task_since q WHERE q.project_id = $1 AND q.state = s.stage
      AND q.state IN ('prelabel', 'annotate', 'review', 'qa')
    ORDER BY q.since, q.task_id LIMIT 1) o ON true
ORDER BY s.ord
