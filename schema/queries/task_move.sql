-- Moves a task by a manager's decision (reopen, archive, restore) under its version, and opens or cancels work accordingly.
-- users: server
WITH moved AS (
    UPDATE task t
    SET state = $5::text, version = t.version + 1, updated_at = now(), rework_count = (t.rework_count + $13::int)::smallint,
        archived_from = CASE WHEN $5 = 'archived' THEN t.state END,
        hands = CASE WHEN $4 = 'reopen' AND $5 = 'review' THEN ARRAY(
                    -- who handed in a slot that is open again, or was given up: the label is theirs, too
                    SELECT unnest(t.hands) UNION
                    SELECT l.author FROM (SELECT DISTINCT ON (v.assignment_id) v.assignment_id, v.author FROM label_version v
                                          WHERE v.task_id = t.id AND v.kind = 'submission' ORDER BY v.assignment_id, v.seq DESC) l
                    JOIN assignment o ON o.id = l.assignment_id WHERE o.state <> 'submitted') ELSE t.hands END
    WHERE t.id = $1::bigint AND t.version = $2::bigint AND t.state = $3::text
    RETURNING t.tenant_id, t.project_id, t.id, t.version, t.state, t.priority, t.skills
),
cancelled AS (
    UPDATE assignment a SET state = 'cancelled', lease_expires_at = NULL, reserved_for = NULL, reserved_until = NULL
    FROM moved m WHERE $5 = 'archived' AND a.task_id = m.id AND a.state IN ('open', 'leased')
    RETURNING a.id
),
opened AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, rank, reserved_for, reserved_until, excluded, skills)
    SELECT m.tenant_id, m.project_id, m.id, $7::text,
           CASE WHEN $9::bigint IS NULL THEN g.slot -- rework: the slot of who did it (I3)
                ELSE coalesce((SELECT s.slot FROM assignment s WHERE s.holder = $9::bigint AND s.task_id = m.id
                                 AND s.stage = 'annotate' AND s.state = 'submitted'), g.slot) END,
           -m.priority, $9::bigint,
           CASE WHEN $9 IS NOT NULL THEN now() + make_interval(secs => $10::int) END, $11::text::bigint[],
           CASE WHEN $7 <> 'prelabel' THEN m.skills END
    FROM moved m CROSS JOIN LATERAL generate_series(1, $8::int) AS g(slot)
    WHERE $7 IS NOT NULL
    ON CONFLICT (tenant_id, task_id, stage, slot) DO UPDATE
    SET state = 'open', version = assignment.version + 1, holder = NULL, lease_expires_at = NULL, rank = excluded.rank,
        reserved_for = excluded.reserved_for, reserved_until = excluded.reserved_until, excluded = excluded.excluded,
        skills = excluded.skills
    WHERE NOT $12::bool OR assignment.state <> 'submitted'
    RETURNING id
),
logged AS ( -- numbered when the rows of the work are held, as a claim's event is: so the events of a task follow as its changes do
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, action, from_state, to_state)
    SELECT tenant_id, project_id, id, version, $6::bigint, $4::text, $3, $5 FROM moved
    WHERE (SELECT count(*) FROM cancelled) + (SELECT count(*) FROM opened) >= 0
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT m.tenant_id, m.project_id, n.name, n.delta
    FROM moved m CROSS JOIN LATERAL (VALUES ('task.' || $3, -1), ('task.' || $5, 1), ('action.' || $4, 1)) AS n(name, delta)
)
SELECT id, state, version FROM moved
