-- The project that an object belongs to, for the gate's role check. $1: task, assignment, label, release or export.
-- users: server
SELECT project_id FROM task WHERE $1::text = 'task' AND id = $2::bigint
UNION ALL SELECT project_id FROM assignment WHERE $1 = 'assignment' AND id = $2
UNION ALL SELECT project_id FROM label_version WHERE $1 = 'label' AND id = $2
UNION ALL SELECT project_id FROM release WHERE $1 = 'release' AND id = $2 AND state <> 'deleting'
UNION ALL SELECT r.project_id FROM export_job j JOIN release r ON r.id = j.release_id AND r.state <> 'deleting' WHERE $1 = 'export' AND j.id = $2
