-- Counts the turns that people $2 just had ($3 each) and deals gold to those whose turn says so ($4 percent, by a hash of person and
-- turn): a slot of a gold task that they have not had, reserved for them. It comes with their next claim.
-- users: server
WITH turn AS (
    INSERT INTO gold_person (tenant_id, project_id, user_id, turns)
    SELECT current_setting('app.tenant')::bigint, $1::bigint, k.who, k.n FROM unnest($2::bigint[], $3::bigint[]) AS k(who, n)
    ORDER BY k.who
    ON CONFLICT (tenant_id, project_id, user_id) DO UPDATE SET turns = gold_person.turns + excluded.turns
    RETURNING user_id, turns
),
hit AS MATERIALIZED (
    SELECT t.user_id, (SELECT count(*) FROM generate_series(t.turns - k.n + 1, t.turns) AS i
                       WHERE (hashint8extended(i, t.user_id # $5::bigint) & 1048575) < $4::float8 * 10485.76) AS n
    FROM turn t JOIN unnest($2, $3) AS k(who, n) ON k.who = t.user_id
),
pick AS MATERIALIZED (
    SELECT DISTINCT ON (p.task_id) p.task_id, h.user_id
    FROM hit h CROSS JOIN LATERAL (
        SELECT g.task_id FROM gold g
        WHERE g.project_id = $1
          AND NOT EXISTS (SELECT FROM assignment a WHERE a.holder = h.user_id AND a.task_id = g.task_id AND a.stage = 'annotate'
                          AND a.state IN ('leased', 'submitted', 'skipped'))
          AND NOT EXISTS (SELECT FROM assignment a WHERE a.project_id = $1 AND a.stage = 'annotate' AND a.state = 'open'
                          AND a.reserved_for = h.user_id AND a.task_id = g.task_id)
        ORDER BY hashint8extended(g.task_id, h.user_id) LIMIT h.n) p
    ORDER BY p.task_id, h.user_id
),
dealt AS (
    UPDATE gold g SET dealt = g.dealt + 1 FROM pick p
    WHERE g.project_id = $1 AND g.task_id = p.task_id AND g.dealt < 32000
      AND EXISTS (SELECT FROM task t WHERE t.id = g.task_id AND t.erasure IS NULL)
    RETURNING g.tenant_id, g.project_id, g.task_id, g.dealt, p.user_id
)
INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, reserved_for, reserved_until)
SELECT tenant_id, project_id, task_id, 'annotate', 9 + dealt, user_id, 'infinity' FROM dealt
