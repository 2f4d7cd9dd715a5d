-- Gives tasks a priority, and their work the rank of it: the tasks in $2, or, where that is NULL, the first $5 of state $3 with an id
-- beyond $7 that have another one. A task's version stays (I2: neither its state nor its label changes). One row as queue_assign's.
-- users: server
WITH picked AS MATERIALIZED (
    SELECT t.id FROM unnest($2::bigint[]) AS l(id) JOIN task t ON t.id = l.id
    WHERE t.project_id = $1::bigint AND t.priority <> $4::int
    UNION ALL
    SELECT q.id FROM (
        SELECT t.id FROM task t
        WHERE t.project_id = $1 AND t.state = $3::text AND t.id > $7::bigint AND t.priority <> $4
        ORDER BY t.id LIMIT $5::int) q
    WHERE $2 IS NULL
),
changed AS (
    UPDATE task t SET priority = $4 FROM picked p WHERE t.id = p.id
    RETURNING t.tenant_id, t.id, t.version, t.state
),
ranked AS (
    UPDATE assignment a SET rank = -$4 FROM changed c WHERE a.task_id = c.id AND a.state IN ('open', 'leased')
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, action, from_state, to_state, detail)
    SELECT c.tenant_id, $1, c.id, c.version, $6::bigint, 'prioritize', c.state, c.state, json_build_object('priority', $4)
    FROM changed c
)
SELECT 1, (SELECT count(*) FROM picked) >= $5 AND $2 IS NULL, count(*), coalesce(json_agg(id ORDER BY id), '[]')
FROM changed
