-- One batch of claims of a project and stage, one row a seat (claimer ord wants seats 1..n): the claimer's own live leases first
-- (unless they ask for `more`), then work reserved for them, then the head of the queue, seat by seat. A seat that may not have what
-- falls to it stays empty; the caller asks claim_search for those (blocked: how many). At most 256 seats. $8: the project's cap of
-- live leases of a person, 0 = none. $9: the tags that the whole project requires. Who is paused or lacks those gets no seat but
-- what they hold. $10, $11: rank and id before which the head of the queue is known to be empty. $12: the roles that may do this
-- stage; who has waited (`waited`) is looked at once more. Rows: one an assignment, or one without id; each says of all claimers, by
-- ord, how many seats they may have and how they stand (enum standing in api/claim.h), and where the head of the queue is now.
-- users: server
WITH seat AS MATERIALIZED (
    SELECT * FROM unnest($3::int[], $4::int[], $5::bigint[], $6::int[], $7::bool[], $13::bool[])
        AS s(ord, place, user_id, lease_s, more, waited)
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
-- An administrator need not be a member: no skills, and the project's cap. leases_held() is met in one order by everybody, as it
-- makes others wait.
person AS MATERIALIZED (
    SELECT c.*, coalesce(m.skills, '{}') AS skills, k.standing,
           CASE WHEN k.standing > 0 OR NOT $9::text[] <@ coalesce(m.skills, '{}') THEN c.holds
                WHEN coalesce(m.max_leases, nullif($8::int, 0)) IS NULL THEN c.wants
                ELSE least(c.wants, c.holds + greatest(0, coalesce(m.max_leases, $8) - leases_held($1, $2, c.user_id))) END AS seats
    FROM (SELECT s.ord, s.user_id, s.waited, count(*) AS wants, (SELECT count(*) FROM held h WHERE h.ord = s.ord) AS holds
          FROM seat s GROUP BY s.ord, s.user_id, s.waited ORDER BY s.user_id) c
    JOIN project p ON p.id = $1
    LEFT JOIN LATERAL (
        SELECT k.role, k.skills, k.paused, k.max_leases FROM project_member k WHERE k.project_id = $1 AND k.user_id = c.user_id) m ON true
    LEFT JOIN LATERAL (SELECT u.disabled, u.admin FROM app_user u WHERE u.id = CASE WHEN c.waited THEN c.user_id END) u ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN u.disabled THEN 2 WHEN NOT u.admin AND m.role IS NULL THEN 3
                    WHEN NOT u.admin AND NOT m.role = ANY ($12::text[]) THEN 4
                    WHEN c.waited AND p.archived_at IS NOT NULL THEN 5
                    WHEN p.paused OR coalesce(m.paused, false) THEN 1 ELSE 0 END AS standing) k
),
need AS MATERIALIZED (
    SELECT s.*, p.skills, row_number() OVER (PARTITION BY s.user_id ORDER BY s.place) AS turn
    FROM person p JOIN seat s ON s.ord = p.ord AND s.place <= p.seats
    WHERE NOT EXISTS (SELECT FROM held h WHERE h.ord = s.ord AND h.place = s.place)
),
mine AS MATERIALIZED ( -- each claimer's own walk, so that nobody's reserved work hides another's
    SELECT q.id, u.user_id, q.task_id, row_number() OVER (PARTITION BY u.user_id ORDER BY q.rank, q.id) AS turn
    FROM (SELECT user_id, skills, count(*) AS seats FROM need GROUP BY user_id, skills) u CROSS JOIN LATERAL (
        SELECT a.id, a.task_id, a.rank FROM assignment a
        WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open'
          AND a.reserved_for = u.user_id AND NOT u.user_id = ANY (a.excluded) AND (a.skills IS NULL OR a.skills <@ u.skills)
          AND ($2 <> 'annotate' OR NOT EXISTS (
                SELECT FROM assignment o WHERE o.holder = u.user_id AND o.task_id = a.task_id AND o.stage = 'annotate'
                  AND o.state IN ('leased', 'submitted', 'skipped') AND o.id <> a.id))
        ORDER BY a.rank, a.id LIMIT u.seats
        FOR UPDATE SKIP LOCKED) q
),
reserved AS MATERIALIZED (
    SELECT DISTINCT ON (n.user_id, m.task_id) n.ord, n.place, n.user_id, n.lease_s, m.id, m.task_id
    FROM need n JOIN mine m ON m.user_id = n.user_id AND m.turn = n.turn
    ORDER BY n.user_id, m.task_id, m.turn
),
rest AS MATERIALIZED (
    SELECT n.*, row_number() OVER (ORDER BY n.place, n.ord) AS rank FROM need n
    WHERE NOT EXISTS (SELECT FROM reserved r WHERE r.ord = n.ord AND r.place = n.place)
),
head AS MATERIALIZED (
    -- The inner LIMIT is for the planner (an index walk); the outer one stops the locking after as many as there are seats.
    SELECT q.id, q.rank
    FROM (SELECT a.id, a.rank FROM assignment a
          WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open' AND a.reserved_for IS NULL AND (a.rank, a.id) > ($10::int, $11::bigint)
          ORDER BY a.rank, a.id LIMIT 256
          FOR UPDATE SKIP LOCKED) q
    LIMIT (SELECT count(*) FROM rest)
),
fallen AS MATERIALIZED ( -- apart, so that assignment is met by a plain key: a subscript is not leakproof, so no index condition
    SELECT r.ord, r.user_id, r.lease_s, r.skills, r.rank, h.ids[r.rank] AS id
    FROM rest r CROSS JOIN (SELECT array_agg(id ORDER BY rank, id) AS ids FROM head) h
),
chosen AS MATERIALIZED (
    -- Of the slots of one task that fall to one person, one; none of a task of which a slot is reserved for them.
    (SELECT DISTINCT ON (f.user_id, a.task_id) f.ord, f.user_id, f.lease_s, a.id
     FROM fallen f JOIN assignment a ON a.id = f.id
     WHERE NOT EXISTS (SELECT FROM reserved v WHERE v.user_id = f.user_id AND v.task_id = a.task_id)
       AND NOT f.user_id = ANY (a.excluded) AND (a.skills IS NULL OR a.skills <@ f.skills)
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
SELECT x.ord, x.id, x.version, x.slot, to_json(x.lease_expires_at), t.id,
       CASE WHEN sum(octet_length(t.data::text)) OVER (PARTITION BY x.ord ORDER BY x.id) <= 33554432 THEN t.data END, t.meta, t.state, t.version,
       t.head_label, t.rework_count, t.label_seq, x.again, k.blocked,
       k.seats, k.standing, k.short, f.rank, f.id
FROM (SELECT (SELECT count(*) FROM head) - (SELECT count(*) FROM chosen) + (SELECT count(*) FROM reserved) AS blocked,
             (SELECT count(*) FROM head) < (SELECT count(*) FROM rest) AS short,
             array_agg(p.seats ORDER BY p.ord) AS seats, array_agg(p.standing ORDER BY p.ord) AS standing FROM person p) k
LEFT JOIN LATERAL ( -- nothing is open before the first that stays open, nor up to the last that was taken
    (SELECT h.rank, h.id - 1 AS id FROM head h WHERE NOT EXISTS (SELECT FROM granted g WHERE g.id = h.id) ORDER BY h.rank, h.id LIMIT 1)
    UNION ALL
    (SELECT h.rank, h.id FROM head h ORDER BY h.rank DESC, h.id DESC LIMIT 1)
    LIMIT 1) f ON true
LEFT JOIN (answer x JOIN task t ON t.id = x.task_id) ON true
ORDER BY x.ord, x.id
