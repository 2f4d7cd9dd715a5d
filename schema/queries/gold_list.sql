-- How each person of a project does on gold: their last 20, by person.
-- users: server
SELECT p.user_id, r.n, r.accuracy, coalesce(m.paused, false), p.restoring
FROM gold_person p
LEFT JOIN project_member m ON m.project_id = p.project_id AND m.user_id = p.user_id
CROSS JOIN LATERAL (
    SELECT count(*) AS n, avg(x.score) AS accuracy
    FROM (SELECT s.score FROM gold_score s WHERE s.project_id = p.project_id AND s.user_id = p.user_id ORDER BY s.id DESC LIMIT 20) x) r
WHERE p.project_id = $1::bigint AND p.user_id > $2::bigint
ORDER BY p.user_id LIMIT $3::int
