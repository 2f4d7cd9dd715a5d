-- Reads the next tasks, at most $1, into one newly declared search field, or forgets the next values of one that is given up.
-- Tasks that come meanwhile are read as their import is digested: whatever this passed by is an event that is not visible yet.
-- users: upkeep
WITH field AS MATERIALIZED (
    SELECT tenant_id, project_id, path, state, after FROM search_field WHERE state <> 'ready'
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
),
page AS MATERIALIZED (
    SELECT p.* FROM field f CROSS JOIN LATERAL (
        SELECT w.tenant_id, w.id FROM unnest(ARRAY['prelabel', 'annotate', 'review', 'qa', 'done', 'skipped', 'archived']) AS s(state)
        CROSS JOIN LATERAL (
            SELECT k.tenant_id, k.id FROM task k
            WHERE k.tenant_id = f.tenant_id AND k.project_id = f.project_id AND k.state = s.state AND k.id > f.after
            ORDER BY k.id LIMIT $1::int) w
        ORDER BY w.id LIMIT $1) p
    WHERE f.state = 'building'
),
made AS (
    INSERT INTO task_field (tenant_id, project_id, task_id, field, text, number)
    SELECT t.tenant_id, t.project_id, t.id, f.path, v.text, v.number
    FROM field f CROSS JOIN page p
    CROSS JOIN LATERAL (SELECT * FROM task k WHERE k.tenant_id = p.tenant_id AND k.id = p.id OFFSET 0) t
    CROSS JOIN LATERAL field_value(t.data, f.path) v
    WHERE v.text IS NOT NULL OR v.number IS NOT NULL
    ON CONFLICT DO NOTHING
),
old AS MATERIALIZED (
    SELECT d.at FROM field f CROSS JOIN LATERAL (
        (SELECT x.ctid AS at FROM task_field x WHERE x.tenant_id = f.tenant_id AND x.project_id = f.project_id AND x.field = f.path
            AND x.text IS NOT NULL LIMIT $1)
        UNION ALL
        (SELECT x.ctid FROM task_field x WHERE x.tenant_id = f.tenant_id AND x.project_id = f.project_id AND x.field = f.path
            AND x.number IS NOT NULL LIMIT $1)) d
    WHERE f.state = 'dropping'
),
dropped AS (
    DELETE FROM task_field x USING old o WHERE x.ctid = o.at
),
done AS MATERIALIZED (
    SELECT (SELECT count(*) FROM page) AS read, (SELECT count(*) FROM old) AS gone
),
ended AS (
    DELETE FROM search_field s USING field f CROSS JOIN done d
    WHERE f.state = 'dropping' AND d.gone = 0 AND s.tenant_id = f.tenant_id AND s.project_id = f.project_id AND s.path = f.path
),
advanced AS (
    UPDATE search_field s
    SET after = coalesce((SELECT max(id) FROM page), s.after), state = CASE WHEN d.read < $1 THEN 'ready' ELSE s.state END
    FROM field f CROSS JOIN done d
    WHERE f.state = 'building' AND s.tenant_id = f.tenant_id AND s.project_id = f.project_id AND s.path = f.path
)
SELECT count(*) FROM field
