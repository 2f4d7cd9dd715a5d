-- The next task ids of a search along (state, id): of the states $2, behind $3; $5: newest first.
-- users: server
SELECT w.id, NULL
FROM unnest($2::text[]) AS s(state) CROSS JOIN LATERAL (
    (SELECT k.id FROM task k WHERE NOT $5::bool AND k.project_id = $1::bigint AND k.state = s.state AND k.id > $3::bigint
     ORDER BY k.id LIMIT $4::int)
    UNION ALL
    (SELECT k.id FROM task k WHERE $5 AND k.project_id = $1 AND k.state = s.state AND k.id < $3
     ORDER BY k.id DESC LIMIT $4)) w
ORDER BY CASE WHEN $5 THEN -w.id ELSE w.id END LIMIT $4
