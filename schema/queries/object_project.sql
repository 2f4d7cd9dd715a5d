-- The project that an object belongs to, for the gate's role check. $1: task, assignment, label or release.
-- users: server
SELECT project_id FROM task WHERE $1::text = 'task' AND id = $2::bigint
UNION ALL SELECT project_id FROM assignment WHERE $1 = 'assignment' AND id = $2
UNION ALL SELECT project_id FROM label_version WHERE $1 = 'label' AND id = $2
UNION ALL SELECT project_id FROM release WHERE $1 = 'release' AND id = $2
