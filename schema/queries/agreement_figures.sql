-- What a project's annotators agree in ($1): of each control all pairs together, and a row for each two values ($2 at most; else none).
-- Sums of numbers are weighted by 1 / (raters - 1), as 840 / (raters - 1) is whole.
-- users: server
SELECT c.control, c.kind, c.n, c.units, c.score, c.numbers, c.spread::float8, c.within::float8, v.raters, v.value_a, v.value_b, v.n,
       to_json((SELECT p.at FROM reader_position p WHERE p.name = 'digest'))
FROM (
    SELECT s.control, s.kind, sum(s.n) AS n, sum(s.units) AS units, sum(s.score) AS score,
           (sum(2 * s.numbers * (840 / (s.raters - 1))) / 840)::float8 AS numbers,
           (sum(2 * s.numbers * (840 / (s.raters - 1))) * sum(s.sum_v2 * (840 / (s.raters - 1)))
               - sum(s.sum_v * (840 / (s.raters - 1))) * sum(s.sum_v * (840 / (s.raters - 1)))) / (840 * 840) AS spread,
           sum(2 * s.sum_d2 * (840 / (s.raters - 1))) / 840 AS within
    FROM agreement_sum s WHERE s.project_id = $1::bigint AND s.user_id = 0 AND s.other_id = 0
    GROUP BY s.control, s.kind HAVING sum(s.n) > 0
    ORDER BY s.control, s.kind LIMIT 500) c
LEFT JOIN LATERAL (
    SELECT s.raters, s.value_a, s.value_b, s.n FROM agreement_sum s
    WHERE s.project_id = $1 AND s.user_id = 0 AND s.other_id = -1 AND s.control = c.control AND s.kind = c.kind AND s.n > 0
    ORDER BY s.value_a, s.value_b, s.raters LIMIT $2::int) v ON true
ORDER BY c.control, c.kind, v.value_a, v.value_b, v.raters
