-- An order stands at step $3 and place $4 from now on and is due again in $5 seconds; with it those that its walk has served.
-- users: upkeep
UPDATE erasure e
SET step = $3::text, place = CASE WHEN e.id = $2::bigint THEN $4::text ELSE '' END, leader = CASE WHEN e.step = $3 THEN e.leader END,
    due_at = now() + make_interval(secs => $5::int), state = CASE $3 WHEN 'end' THEN 'done' ELSE 'running' END,
    ended_at = CASE $3 WHEN 'end' THEN now() END
WHERE e.tenant_id = $1::bigint AND e.state <> 'done' AND (e.id = $2 OR (e.leader = $2 AND e.step <> $3))
