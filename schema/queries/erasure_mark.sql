-- Erases versions ($3) of an order's: from now on they have no place, and where they lay is noted until the bytes are gone. Who and
-- when and the hash stay. Exports that hold one of them end, or are made anew; what was counted and found by them is looked at again.
-- users: upkeep
WITH o AS MATERIALIZED (
    SELECT * FROM erasure WHERE tenant_id = $1::bigint AND id = $2::bigint AND NOT dry_run
),
lay AS MATERIALIZED (
    SELECT l.id, l.pack, l.pack_off FROM label_version l
    WHERE l.tenant_id = $1 AND l.id = ANY ($3::bigint[]) AND l.pack <> '00000000-0000-0000-0000-000000000000'
    FOR UPDATE
),
gone AS (
    UPDATE label_version l SET pack = '00000000-0000-0000-0000-000000000000', pack_off = 0
    FROM lay CROSS JOIN o WHERE l.tenant_id = $1 AND l.id = lay.id
    RETURNING l.tenant_id, l.project_id, l.task_id, l.id, l.kind, l.bytes, lay.pack, lay.pack_off
),
noted AS (
    INSERT INTO erasure_place (tenant_id, erasure_id, pack, pack_off, bytes)
    SELECT DISTINCT g.tenant_id, $2, g.pack, g.pack_off, g.bytes FROM gone g
),
settled AS (
    INSERT INTO late_settled (tenant_id, label_id, how, actor)
    SELECT g.tenant_id, g.id, 'dismissed', o.created_by FROM gone g CROSS JOIN o WHERE g.kind = 'late'
    ON CONFLICT DO NOTHING
),
found AS ( -- another stamp: who has read it before does not write it after
    INSERT INTO label_stale (tenant_id, task_id, stamp) SELECT DISTINCT g.tenant_id, g.task_id, 0 FROM gone g
    ON CONFLICT (tenant_id, task_id) DO UPDATE SET stamp = label_stale.stamp + 1
),
compared AS (
    INSERT INTO agreement_stale (tenant_id, task_id, stamp) SELECT DISTINCT g.tenant_id, g.task_id, 0 FROM gone g
    ON CONFLICT (tenant_id, task_id) DO UPDATE SET stamp = agreement_stale.stamp + 1
),
logged AS ( -- of a task one event said it all
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, label_id, action, from_state, to_state, detail)
    SELECT g.tenant_id, g.project_id, g.task_id, t.version, o.created_by, g.id, 'erase_label', t.state, t.state,
           json_build_object('erasure', o.id)
    FROM gone g CROSS JOIN o JOIN task t ON t.tenant_id = g.tenant_id AND t.id = g.task_id
    WHERE o.user_id IS NOT NULL
),
exports AS (
    UPDATE export_job j
    SET state = CASE j.state WHEN 'running' THEN 'waiting' ELSE j.state END, lease_until = NULL,
        expires_at = CASE j.state WHEN 'done' THEN now() END
    FROM (SELECT DISTINCT i.release_id FROM gone g JOIN release_item i ON i.tenant_id = g.tenant_id AND i.label_id = g.id) r
    WHERE j.tenant_id = $1 AND j.release_id = r.release_id AND (j.state = 'running' OR (j.state = 'done' AND j.expires_at > now()))
    RETURNING j.id
),
counted AS (
    UPDATE erasure e SET labels_n = e.labels_n + (SELECT count(*) FROM gone), exports_n = e.exports_n + (SELECT count(*) FROM exports)
    FROM o WHERE e.tenant_id = $1 AND e.id = o.id
)
SELECT count(*) FROM gone
