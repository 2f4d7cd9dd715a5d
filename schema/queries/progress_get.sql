-- A project's exact counters: folded base rows plus deltas.
-- users: server
SELECT name, sum(delta)::bigint FROM counter WHERE project_id = $1::bigint GROUP BY name ORDER BY name
