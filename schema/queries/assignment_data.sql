-- The data of an assignment's task: what a label of text is checked against.
-- users: server
SELECT t.data FROM assignment a JOIN task t ON t.id = a.task_id WHERE a.id = $1::bigint
