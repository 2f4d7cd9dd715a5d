-- Puts what tasks ($1: tenants, $2: tasks, $3: stamps, $4: projects) give now ($5: index into those, then the columns of agreement_pair)
-- in the place of what they gave before, in agreement_pair and in its sums. Whoever's stamp is no longer there was overtaken by newer
-- work and does nothing.
-- users: upkeep
WITH read AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
        AS r(tenant_id, task_id, stamp, project_id, ord)
),
mine AS MATERIALIZED (
    DELETE FROM agreement_stale s USING read r
    WHERE s.tenant_id = r.tenant_id AND s.task_id = r.task_id AND s.stamp = r.stamp
    RETURNING r.tenant_id, r.task_id, r.project_id, r.ord
),
now_given AS MATERIALIZED (
    SELECT m.tenant_id, m.project_id, m.task_id, p.*
    FROM unnest($5::int[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::int[], $11::int[], $12::bigint[], $13::text[], $14::text[],
                $15::float8[], $16::float8[])
        AS p(ord, control, kind, a, b, raters, units, score, value_a, value_b, number_a, number_b)
    JOIN mine m ON m.ord = p.ord
),
taken_back AS (
    DELETE FROM agreement_pair p USING mine m WHERE p.tenant_id = m.tenant_id AND p.task_id = m.task_id
    RETURNING p.*
),
given AS (
    INSERT INTO agreement_pair (tenant_id, project_id, task_id, control, kind, a, b, raters, units, score, value_a, value_b, number_a, number_b)
    SELECT tenant_id, project_id, task_id, control, kind, a, b, raters, units, score, value_a, value_b, number_a, number_b FROM now_given
),
change AS (
    SELECT 1 AS sign, tenant_id, project_id, control, kind, a, b, raters, units, score, value_a, value_b,
           number_a::numeric AS number_a, number_b::numeric AS number_b FROM now_given
    UNION ALL
    SELECT -1, tenant_id, project_id, control, kind, a, b, raters, units, score, value_a, value_b, number_a::numeric, number_b::numeric
    FROM taken_back
),
summed AS (
    INSERT INTO agreement_sum (tenant_id, project_id, user_id, other_id, control, kind, raters, value_a, value_b, n, units, score, numbers,
                               sum_v, sum_v2, sum_d2)
    SELECT c.tenant_id, c.project_id, k.user_id, k.other_id, c.control, c.kind, k.raters, k.value_a, k.value_b,
           sum(sign), sum(sign * k.units), sum(sign * score), sum(CASE WHEN k.total AND number_a IS NOT NULL THEN sign ELSE 0 END),
           coalesce(sum(sign * (number_a + number_b)) FILTER (WHERE k.total), 0),
           coalesce(sum(sign * (number_a * number_a + number_b * number_b)) FILTER (WHERE k.total), 0),
           coalesce(sum(sign * (number_a - number_b) * (number_a - number_b)) FILTER (WHERE k.total), 0)
    FROM change c CROSS JOIN LATERAL (VALUES
        (true, 0::bigint, 0::bigint, c.raters, '', '', c.units),
        (false, 0, -1, c.raters, least(c.value_a COLLATE "C", c.value_b), greatest(c.value_a COLLATE "C", c.value_b), 0),
        (false, c.a, 0, 0, '', '', 0), (false, c.b, 0, 0, '', '', 0),
        (false, c.a, c.b, 0, '', '', 0), (false, c.b, c.a, 0, '', '', 0),
        (false, c.a, c.b, 0, c.value_a, c.value_b, 0), (false, c.b, c.a, 0, c.value_b, c.value_a, 0))
        AS k(total, user_id, other_id, raters, value_a, value_b, units)
    WHERE k.value_a IS NOT NULL
    GROUP BY c.tenant_id, c.project_id, k.user_id, k.other_id, c.control, c.kind, k.raters, k.value_a, k.value_b
    ORDER BY c.tenant_id, c.project_id, k.user_id, k.other_id, c.control, c.kind, k.value_a, k.value_b, k.raters
    ON CONFLICT (tenant_id, project_id, user_id, other_id, control, kind, value_a, value_b, raters) DO UPDATE
    SET n = agreement_sum.n + excluded.n, units = agreement_sum.units + excluded.units, score = agreement_sum.score + excluded.score,
        numbers = agreement_sum.numbers + excluded.numbers, sum_v = agreement_sum.sum_v + excluded.sum_v,
        sum_v2 = agreement_sum.sum_v2 + excluded.sum_v2, sum_d2 = agreement_sum.sum_d2 + excluded.sum_d2
)
SELECT count(*) FROM mine
