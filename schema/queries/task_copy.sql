-- One chunk of another project's tasks (not those archived) comes over as new ones, the way an import brings them (task_import). Moves
-- project.copy_after under compare-and-set, so each task comes once, whoever repeats what; no row: somebody else did. $4: the state
-- new tasks start in; $5: overlap; $6: slots to open; $7: who; $8: tasks at most.
-- users: server
WITH source AS MATERIALIZED (
    SELECT t.* FROM (
        SELECT w.tenant_id, w.id FROM unnest(ARRAY['prelabel', 'annotate', 'review', 'qa', 'done', 'skipped']) AS s(state)
        CROSS JOIN LATERAL (
            SELECT k.tenant_id, k.id FROM task k WHERE k.project_id = $2::bigint AND (k.state, k.id) > (s.state, $3::bigint) AND k.state <= s.state
            ORDER BY k.state, k.id LIMIT $8::int) w
        ORDER BY w.id LIMIT $8) p
    JOIN task t ON t.tenant_id = p.tenant_id AND t.id = p.id
),
moved AS (
    UPDATE project SET copy_after = (SELECT CASE WHEN count(*) = $8 THEN max(id) END FROM source)
    WHERE id = $1::bigint AND copy_of = $2 AND copy_after = $3
    RETURNING tenant_id, id, copy_after
),
made AS (
    INSERT INTO task (tenant_id, project_id, state, overlap, data, meta, external_id, priority, skills)
    SELECT m.tenant_id, m.id, $4::text, $5::int, s.data, s.meta, s.external_id, s.priority, s.skills
    FROM moved m CROSS JOIN source s ORDER BY s.id
    ON CONFLICT (tenant_id, project_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
    RETURNING tenant_id, id, project_id, state, priority, skills
),
opened AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, rank, skills)
    SELECT m.tenant_id, m.project_id, m.id, m.state, s.slot, -m.priority, CASE WHEN m.state <> 'prelabel' THEN m.skills END
    FROM made m CROSS JOIN LATERAL generate_series(1, $6::int) AS s(slot) ORDER BY m.id, s.slot
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, action, from_state, to_state)
    SELECT m.tenant_id, m.project_id, m.id, 1, $7::bigint, 'import', 'none', m.state FROM made m ORDER BY m.id
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT tenant_id, project_id, n.name, count(*)
    FROM made CROSS JOIN LATERAL (VALUES ('task.' || state::text), ('action.import')) AS n(name)
    GROUP BY tenant_id, project_id, n.name
),
used AS (
    INSERT INTO usage (tenant_id, name, delta) SELECT tenant_id, 'tasks', count(*) FROM made GROUP BY tenant_id
)
SELECT copy_after, (SELECT count(*) FROM made) FROM moved
