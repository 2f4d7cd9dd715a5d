-- The next task ids of a search along the texts of field $2, from $3 to $4, behind ($5, $6); $8: last first.
-- users: server
(SELECT f.task_id, f.text FROM task_field f
 WHERE NOT $8::bool AND f.project_id = $1::bigint AND f.field = $2::text AND f.text IS NOT NULL
   AND f.text >= $3::text AND f.text <= $4::text AND (f.text, f.task_id) > ($5::text, $6::bigint)
 ORDER BY f.text, f.task_id LIMIT $7::int)
UNION ALL
(SELECT f.task_id, f.text FROM task_field f
 WHERE $8 AND f.project_id = $1 AND f.field = $2 AND f.text IS NOT NULL
   AND f.text >= $3 AND f.text <= $4 AND (f.text, f.task_id) < ($5, $6)
 ORDER BY f.text DESC, f.task_id DESC LIMIT $7)
