-- The sums of person $2 (0: everybody) from day $3 to day $4, by day.
-- users: server
SELECT s.day, s.stage, s.action, s.bucket, s.n, s.lead_ms, to_json((SELECT p.at FROM reader_position p WHERE p.name = 'digest'))
FROM (SELECT) one LEFT JOIN stat s ON s.project_id = $1::bigint AND s.user_id = $2::bigint AND s.day >= $3::date AND s.day <= $4::date
ORDER BY s.day, s.stage, s.action, s.bucket
