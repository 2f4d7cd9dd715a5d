-- Work for one claimer whom the head of the queue did not suit: a step of their own walk through it, of at most $6 rows. First what was
-- opened behind their cursor since they last looked, then on from the cursor, past what is not for them; the cursor stops before what
-- suits them and stays. At the end of the queue it waits there; a lap that did not begin at the head is followed by one that does, and
-- so is one that is $7 seconds old. $8: the project's cap of live leases, 0 = none. Answers like claim_take, with
-- ord = 1; the last column: there is more to look at.
-- users: server
WITH now_at AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin),
person AS MATERIALIZED (
    SELECT coalesce(m.skills, '{}') AS skills,
           CASE WHEN coalesce(m.max_leases, nullif($8::int, 0)) IS NULL THEN $4::int
                ELSE least($4, greatest(0, coalesce(m.max_leases, $8) - leases_held($1::bigint, $2::text, $3::bigint))) END AS wants
    FROM (SELECT) one LEFT JOIN LATERAL (
        SELECT k.skills, k.max_leases FROM project_member k WHERE k.project_id = $1 AND k.user_id = $3) m ON true
),
known AS MATERIALIZED (
    SELECT c.*, c.ended AND (NOT c.whole OR c.begun < now() - make_interval(secs => $7::int)) AS over
    FROM person p JOIN claim_cursor c ON c.skills = p.skills
    WHERE c.project_id = $1 AND c.user_id = $3 AND c.stage = $2
),
-- A new walk begins after the person's newest work of the rank that the head of the queue has: what lies before it was theirs mostly.
newest AS MATERIALIZED (
    SELECT o.rank, o.id FROM (
        SELECT a.rank, a.id, a.project_id FROM assignment a
        WHERE NOT EXISTS (SELECT FROM known) AND $2 = 'annotate' AND a.holder = $3 AND a.stage = 'annotate'
          AND a.state IN ('leased', 'submitted', 'skipped')
        ORDER BY a.task_id DESC LIMIT 100) o
    WHERE o.project_id = $1 AND o.rank <= (
        SELECT a.rank FROM assignment a
        WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open' AND a.reserved_for IS NULL
        ORDER BY a.rank, a.id LIMIT 1)
    LIMIT 1
),
start AS MATERIALIZED (
    SELECT k.rank, k.id, k.whole, k.ended, k.begun, k.seen, k.seen_rank, k.seen_id
    FROM known k WHERE NOT k.over
    UNION ALL
    SELECT -2147483648, 0, true, false, now(), k.seen, k.seen_rank, k.seen_id FROM known k WHERE k.over
    UNION ALL
    SELECT n.rank, n.id, false, false, now(), x.xmin, -2147483648, 0 FROM newest n CROSS JOIN now_at x
    UNION ALL
    SELECT -2147483648, 0, true, false, now(), x.xmin, -2147483648, 0 FROM now_at x
    LIMIT 1
),
came AS MATERIALIZED ( -- a thousand or more: what is younger than the oldest transaction is read again until that ends
    SELECT c.* FROM start s CROSS JOIN LATERAL (
        SELECT a.id, a.rank, a.task_id, a.opened, a.excluded, a.skills FROM assignment a
        WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open' AND a.reserved_for IS NULL AND a.opened IS NOT NULL
          AND (a.opened, a.rank, a.id) > (s.seen, s.seen_rank, s.seen_id)
        ORDER BY a.opened, a.rank, a.id LIMIT greatest($6::int, 1000)) c
),
behind AS MATERIALIZED ( -- what came in before the cursor; the rest is still ahead
    SELECT b.id, b.rank, b.task_id, b.opened FROM start s CROSS JOIN person p JOIN came b ON (b.rank, b.id) <= (s.rank, s.id)
    WHERE NOT $3 = ANY (b.excluded) AND (b.skills IS NULL OR b.skills <@ p.skills)
      AND ($2 <> 'annotate' OR NOT EXISTS (
            SELECT FROM assignment o WHERE o.holder = $3 AND o.task_id = b.task_id AND o.stage = 'annotate'
              AND o.state IN ('leased', 'submitted', 'skipped') AND o.id <> b.id))
),
-- Lazily: it ends with the first few that suit; a few more than wanted, as others may be taking them right now.
ahead AS MATERIALIZED (
    SELECT w.id, w.rank, w.task_id FROM start s CROSS JOIN person p CROSS JOIN LATERAL (
        SELECT f.* FROM (
            SELECT a.id, a.rank, a.task_id, a.excluded, a.skills FROM assignment a
            WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open' AND a.reserved_for IS NULL AND (a.rank, a.id) > (s.rank, s.id)
            ORDER BY a.rank, a.id LIMIT $6) f
        WHERE NOT $3 = ANY (f.excluded) AND (f.skills IS NULL OR f.skills <@ p.skills)
          AND ($2 <> 'annotate' OR NOT EXISTS (
                SELECT FROM assignment o WHERE o.holder = $3 AND o.task_id = f.task_id AND o.stage = 'annotate'
                  AND o.state IN ('leased', 'submitted', 'skipped') AND o.id <> f.id))
        LIMIT $4 + 16) w
),
walked AS MATERIALIZED ( -- where the step ends when it did not find enough
    SELECT w.n, w.rank, w.id FROM start s CROSS JOIN LATERAL (
        SELECT row_number() OVER (ORDER BY a.rank, a.id) AS n, a.rank, a.id FROM (
            SELECT a.rank, a.id FROM assignment a
            WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open' AND a.reserved_for IS NULL AND (a.rank, a.id) > (s.rank, s.id)
            ORDER BY a.rank, a.id LIMIT $6) a) w
    WHERE (SELECT count(*) FROM ahead) < $4 + 16
    ORDER BY w.n DESC LIMIT 1
),
single AS MATERIALIZED ( -- of two slots of one task a person takes one
    SELECT DISTINCT ON (c.task_id) c.id, c.rank
    FROM (SELECT id, rank, task_id FROM behind UNION ALL SELECT id, rank, task_id FROM ahead) c
    ORDER BY c.task_id, c.rank, c.id
),
chosen AS MATERIALIZED (
    SELECT q.id FROM (
        SELECT a.id FROM (SELECT id, rank FROM single ORDER BY rank, id) c JOIN assignment a ON a.id = c.id
        WHERE a.state = 'open' AND a.reserved_for IS NULL AND NOT $3 = ANY (a.excluded)
        ORDER BY c.rank, c.id
        FOR UPDATE OF a SKIP LOCKED) q
    LIMIT (SELECT wants FROM person)
),
granted AS (
    UPDATE assignment a
    SET state = 'leased', holder = $3, version = a.version + 1, lease_s = $5::int,
        lease_expires_at = now() + make_interval(secs => $5)
    FROM chosen c
    WHERE a.id = c.id AND a.state = 'open'
    RETURNING a.tenant_id, a.id, a.task_id, a.version, a.slot, a.lease_expires_at
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state)
    SELECT g.tenant_id, $1, g.task_id, t.version, $3, g.id, g.version, 'claim', t.state, t.state
    FROM granted g JOIN task t ON t.id = g.task_id
),
place AS MATERIALIZED (
    (SELECT h.rank, h.id - 1 AS id, false AS ended FROM ahead h WHERE NOT EXISTS (SELECT FROM granted g WHERE g.id = h.id) ORDER BY h.rank, h.id LIMIT 1)
    UNION ALL
    (SELECT w.rank, w.id, w.n < $6 FROM walked w)
    UNION ALL
    (SELECT h.rank, h.id, false FROM ahead h WHERE (SELECT count(*) FROM ahead) = $4 + 16 ORDER BY h.rank DESC, h.id DESC LIMIT 1)
    UNION ALL
    SELECT s.rank, s.id, true FROM start s
    LIMIT 1
),
seen AS MATERIALIZED ( -- never beyond what may still be on its way
    SELECT CASE WHEN b.opened < x.xmin THEN b.opened ELSE x.xmin END AS opened,
           CASE WHEN b.opened < x.xmin THEN b.rank ELSE -2147483648 END AS rank, CASE WHEN b.opened < x.xmin THEN b.id ELSE 0 END AS id
    FROM now_at x LEFT JOIN (
        (SELECT b.opened, b.rank, b.id - 1 AS id FROM behind b
         WHERE NOT EXISTS (SELECT FROM granted g WHERE g.id = b.id) ORDER BY b.opened, b.rank, b.id LIMIT 1)
        UNION ALL
        (SELECT b.opened, b.rank, b.id FROM came b WHERE (SELECT count(*) FROM came) = greatest($6, 1000) ORDER BY b.opened DESC, b.rank DESC, b.id DESC LIMIT 1)
        LIMIT 1) b ON true
),
moved AS MATERIALIZED (
    SELECT p.rank, p.id, s.whole, s.ended OR p.ended AS ended, p.ended AS at_end, s.begun, n.opened AS seen, n.rank AS seen_rank, n.id AS seen_id,
           (p.rank, p.id) > (s.rank, s.id) OR ((SELECT count(*) FROM came) = greatest($6, 1000) AND (n.opened, n.rank, n.id) > (s.seen, s.seen_rank, s.seen_id))
               OR (p.ended AND NOT s.whole) AS progress,
           (SELECT count(*) FROM came) = greatest($6, 1000) AS many
    FROM start s CROSS JOIN place p CROSS JOIN seen n
),
remembered AS (
    INSERT INTO claim_cursor AS c (tenant_id, project_id, user_id, stage, rank, id, seen, seen_rank, seen_id, begun, whole, ended, skills)
    SELECT current_setting('app.tenant')::bigint, $1, $3, $2, m.rank, m.id, m.seen, m.seen_rank, m.seen_id, m.begun, m.whole, m.ended, p.skills
    FROM moved m CROSS JOIN person p
    ON CONFLICT (tenant_id, project_id, user_id, stage) DO UPDATE
    SET rank = excluded.rank, id = excluded.id, seen = excluded.seen, seen_rank = excluded.seen_rank, seen_id = excluded.seen_id,
        begun = excluded.begun, saved = now(), whole = excluded.whole, ended = excluded.ended, skills = excluded.skills
    WHERE (c.rank, c.id, c.begun, c.whole, c.ended) IS DISTINCT FROM (excluded.rank, excluded.id, excluded.begun, excluded.whole, excluded.ended)
       OR c.skills <> excluded.skills OR EXISTS (SELECT FROM came) OR c.saved < now() - interval '10 s'
)
SELECT 1, g.id, g.version, g.slot, to_json(g.lease_expires_at), t.id, t.data, t.meta, t.state, t.version,
       t.head_label, t.rework_count, t.label_seq, false, m.progress AND (NOT m.at_end OR NOT m.whole OR m.many)
FROM moved m LEFT JOIN (granted g JOIN task t ON t.id = g.task_id) ON true
ORDER BY g.id
