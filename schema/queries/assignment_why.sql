-- Why a write on assignment $1 under version $2 by $3 changed nothing: its state, whether it is or was theirs, whether the version
-- stands, whether it is theirs now.
-- users: server
SELECT a.state, a.holder IS NOT DISTINCT FROM $3::bigint OR EXISTS (
           SELECT FROM event e WHERE e.task_id = a.task_id AND e.assignment_id = a.id AND e.assignment_version = $2::bigint
             AND e.actor = $3 AND e.action = 'claim'),
       a.version = $2, a.holder IS NOT DISTINCT FROM $3
FROM assignment a WHERE a.id = $1::bigint
