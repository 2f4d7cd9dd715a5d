-- One batch of claims of a project and stage, one row a seat (claimer ord wants seats 1..n): the claimer's own live leases first
-- (unless they ask for `more`), then, unless the project is paused, work reserved for them, then the head of the queue, seat by seat.
-- A seat that may not have what falls to it stays empty; the caller asks claim_search for those (last column: how many). At most 256
-- seats. Rows: one an assignment, or one without id.
-- users: server
WITH seat AS MATERIALIZED (
    SELECT * FROM unnest($3::int[], $4::int[], $5::bigint[], $6::int[], $7::bool[]) AS s(ord, place, user_id, lease_s, more)
),
held AS MATERIALIZED (
    SELECT s.ord, s.place, h.id
    FROM (SELECT DISTINCT ord, user_id FROM seat WHERE NOT more) c CROSS JOIN LATERAL (
        SELECT a.id, row_number() OVER (ORDER BY a.id) AS place FROM assignment a
        WHERE a.project_id = $1::bigint AND a.stage = $2::text AND a.holder = c.user_id AND a.state = 'leased'
          AND a.lease_expires_at > now()
        ORDER BY a.id LIMIT 256) h
    JOIN seat s ON s.ord = c.ord AND s.place = h.place
),
need AS MATERIALIZED (
    SELECT s.*, row_number() OVER (PARTITION BY s.user_id ORDER BY s.place) AS turn FROM seat s
    WHERE NOT EXISTS (SELECT FROM held h WHERE h.ord = s.ord AND h.place = s.place)
      AND NOT (SELECT p.paused FROM project p WHERE p.id = $1) -- here, so that a pause holds at once, whoever waits
),
mine AS MATERIALIZED ( -- each claimer's own walk, so that nobody's reserved work hides another's
    SELECT q.id, u.user_id, row_number() OVER (PARTITION BY u.user_id ORDER BY q.rank, q.id) AS turn
    FROM (SELECT user_id, count(*) AS seats FROM need GROUP BY user_id) u CROSS JOIN LATERAL (
        SELECT a.id, a.rank FROM assignment a
        WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open'
          AND a.reserved_for = u.user_id AND NOT u.user_id = ANY (a.excluded)
        ORDER BY a.rank, a.id LIMIT u.seats
        FOR UPDATE SKIP LOCKED) q
),
reserved AS MATERIALIZED (
    SELECT n.ord, n.place, n.user_id, n.lease_s, m.id FROM need n JOIN mine m ON m.user_id = n.user_id AND m.turn = n.turn
),
rest AS MATERIALIZED (
    SELECT n.*, row_number() OVER (ORDER BY n.place, n.ord) AS rank FROM need n
    WHERE NOT EXISTS (SELECT FROM reserved r WHERE r.ord = n.ord AND r.place = n.place)
),
head AS MATERIALIZED (
    -- The inner LIMIT is for the planner (an index walk); the outer one stops the locking after as many as there are seats.
    SELECT q.id
    FROM (SELECT a.id FROM assignment a
          WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open' AND a.reserved_for IS NULL
          ORDER BY a.rank, a.id LIMIT 256
          FOR UPDATE SKIP LOCKED) q
    LIMIT (SELECT count(*) FROM rest)
),
fallen AS MATERIALIZED ( -- apart, so that assignment is met by a plain key: a subscript is not leakproof, so no index condition
    SELECT r.ord, r.user_id, r.lease_s, r.rank, h.ids[r.rank] AS id
    FROM rest r CROSS JOIN (SELECT array_agg(id) AS ids FROM head) h
),
chosen AS MATERIALIZED (
    -- Of the slots of one task that fall to one person, one.
    (SELECT DISTINCT ON (f.user_id, a.task_id) f.ord, f.user_id, f.lease_s, a.id
     FROM fallen f JOIN assignment a ON a.id = f.id
     WHERE NOT f.user_id = ANY (a.excluded)
       AND ($2 <> 'annotate' OR NOT EXISTS (
             SELECT FROM assignment o WHERE o.holder = f.user_id AND o.task_id = a.task_id AND o.stage = 'annotate'
               AND o.state IN ('leased', 'submitted', 'skipped') AND o.id <> a.id))
     ORDER BY f.user_id, a.task_id, f.rank)
    UNION ALL
    SELECT ord, user_id, lease_s, id FROM reserved
),
granted AS (
    UPDATE assignment a
    SET state = 'leased', holder = c.user_id, version = a.version + 1, lease_s = c.lease_s, reserved_for = NULL, reserved_until = NULL,
        lease_expires_at = now() + make_interval(secs => c.lease_s)
    FROM chosen c
    WHERE a.id = c.id AND a.state = 'open' AND NOT c.user_id = ANY (a.excluded)
    RETURNING c.ord, a.tenant_id, a.id, a.task_id, a.version, a.slot, a.holder, a.lease_expires_at
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state)
    SELECT g.tenant_id, $1, g.task_id, t.version, g.holder, g.id, g.version, 'claim', t.state, t.state
    FROM granted g JOIN task t ON t.id = g.task_id
),
answer AS (
    SELECT ord, id, task_id, version, slot, lease_expires_at, false AS again FROM granted
    UNION ALL
    SELECT h.ord, a.id, a.task_id, a.version, a.slot, a.lease_expires_at, true FROM held h JOIN assignment a ON a.id = h.id
)
SELECT x.ord, x.id, x.version, x.slot, to_json(x.lease_expires_at), t.id, t.data, t.meta, t.state, t.version,
       t.head_label, t.rework_count, t.label_seq, x.again, k.blocked
FROM (SELECT (SELECT count(*) FROM head) - (SELECT count(*) FROM chosen) + (SELECT count(*) FROM reserved) AS blocked) k
LEFT JOIN (answer x JOIN task t ON t.id = x.task_id) ON true
ORDER BY x.ord, x.id
