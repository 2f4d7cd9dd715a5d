-- One chunk of an import: tasks, their first assignments, their events, the counters. An external_id the project knows already is
-- skipped. $7: the state new tasks start in; $8: overlap; $9: slots to open. Rows: ord and id of what was created.
-- users: server
WITH item AS MATERIALIZED (
    SELECT * FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::int[]) AS i(ord, data, meta, external_id, priority)
),
made AS (
    INSERT INTO task (tenant_id, project_id, state, overlap, data, meta, external_id, priority)
    SELECT current_setting('app.tenant')::bigint, $1::bigint, $7::text, $8::int, i.data::json, i.meta::json, i.external_id, i.priority
    FROM item i ORDER BY i.ord
    ON CONFLICT (tenant_id, project_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
    RETURNING tenant_id, id, project_id, state, priority, external_id
),
opened AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, rank)
    SELECT m.tenant_id, m.project_id, m.id, m.state, s.slot, -m.priority
    FROM made m CROSS JOIN LATERAL generate_series(1, $9::int) AS s(slot) ORDER BY m.id, s.slot
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, action, from_state, to_state)
    SELECT m.tenant_id, m.project_id, m.id, 1, $10::bigint, 'import', 'none', m.state FROM made m ORDER BY m.id
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT tenant_id, project_id, n.name, count(*)
    FROM made CROSS JOIN LATERAL (VALUES ('task.' || state::text), ('action.import')) AS n(name)
    GROUP BY tenant_id, project_id, n.name
)
SELECT count(*), min(id), max(id) FROM made
