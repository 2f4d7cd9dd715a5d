-- What the labels of gold tasks should be.
-- users: server
SELECT k.ord, g.expected
FROM unnest($2::int[], $3::bigint[]) AS k(ord, task) JOIN gold g ON g.project_id = $1::bigint AND g.task_id = k.task
