-- The next ids of tasks that person $2 has annotated, behind $3; $5: newest first.
-- users: server
(SELECT a.task_id, NULL FROM assignment a
 WHERE NOT $5::bool AND a.project_id = $1::bigint AND a.holder = $2::bigint AND a.task_id > $3::bigint AND a.stage = 'annotate'
   AND a.state IN ('leased', 'submitted', 'skipped') AND a.state = 'submitted'
 ORDER BY a.task_id LIMIT $4::int)
UNION ALL
(SELECT a.task_id, NULL FROM assignment a
 WHERE $5 AND a.project_id = $1 AND a.holder = $2 AND a.task_id < $3 AND a.stage = 'annotate'
   AND a.state IN ('leased', 'submitted', 'skipped') AND a.state = 'submitted'
 ORDER BY a.task_id DESC LIMIT $4)
