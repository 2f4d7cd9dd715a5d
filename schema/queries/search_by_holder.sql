-- The next ids of tasks that people $2 hold now, behind $3; $5: newest first. They hold few.
-- users: server
SELECT w.id, NULL
FROM (SELECT DISTINCT a.task_id AS id
      FROM unnest($2::bigint[]) AS u(id) CROSS JOIN unnest(ARRAY['prelabel', 'annotate', 'review', 'qa']) AS s(stage)
      JOIN assignment a ON a.project_id = $1::bigint AND a.stage = s.stage AND a.holder = u.id AND a.state = 'leased') w
WHERE CASE WHEN $5::bool THEN w.id < $3::bigint ELSE w.id > $3 END
ORDER BY CASE WHEN $5 THEN -w.id ELSE w.id END LIMIT $4::int
