-- The next task ids of a search along the numbers of field $2, from $3 to $4, behind ($5, $6); $8: last first.
-- users: server
(SELECT f.task_id, f.number FROM task_field f
 WHERE NOT $8::bool AND f.project_id = $1::bigint AND f.field = $2::text AND f.number IS NOT NULL
   AND f.number >= $3::float8 AND f.number <= $4::float8 AND (f.number, f.task_id) > ($5::float8, $6::bigint)
 ORDER BY f.number, f.task_id LIMIT $7::int)
UNION ALL
(SELECT f.task_id, f.number FROM task_field f
 WHERE $8 AND f.project_id = $1 AND f.field = $2 AND f.number IS NOT NULL
   AND f.number >= $3 AND f.number <= $4 AND (f.number, f.task_id) < ($5, $6)
 ORDER BY f.number DESC, f.task_id DESC LIMIT $7)
