-- The data of the tasks of some assignments of a project: what labels of text are checked against. Row: place in $2 from 1, data.
-- users: server
SELECT r.ord, t.data
FROM unnest($2::bigint[]) WITH ORDINALITY AS r(id, ord)
JOIN assignment a ON a.id = r.id AND a.project_id = $1::bigint
JOIN task t ON t.id = a.task_id
