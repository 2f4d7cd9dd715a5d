-- Gives tasks ($1: tenants, $2: tasks, $3: stamps, $4: projects) the values of their head labels ($5: index into those, $6: value).
-- Whoever's stamp is no longer there was overtaken by a newer label and does nothing.
-- users: upkeep
WITH read AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
        AS r(tenant_id, task_id, stamp, project_id, ord)
),
mine AS MATERIALIZED (
    DELETE FROM label_stale s USING read r
    WHERE s.tenant_id = r.tenant_id AND s.task_id = r.task_id AND s.stamp = r.stamp
    RETURNING r.tenant_id, r.task_id, r.project_id, r.ord
),
value AS MATERIALIZED (
    SELECT DISTINCT m.tenant_id, m.project_id, m.task_id, v.text
    FROM unnest($5::int[], $6::text[]) AS v(ord, text) JOIN mine m ON m.ord = v.ord
),
gone AS (
    DELETE FROM task_field f USING mine m
    WHERE f.tenant_id = m.tenant_id AND f.task_id = m.task_id AND f.field = 'label'
      AND NOT EXISTS (SELECT FROM value v WHERE v.tenant_id = f.tenant_id AND v.task_id = f.task_id AND v.text = f.text)
),
made AS (
    INSERT INTO task_field (tenant_id, project_id, task_id, field, text)
    SELECT tenant_id, project_id, task_id, 'label', text FROM value
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM mine
