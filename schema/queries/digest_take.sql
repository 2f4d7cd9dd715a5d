-- The next events, at most $1, into the side tables of search and statistics. The events are the difference of two snapshots, read in
-- the order of (xid, seq); position and what follows from it are one transaction, so every event counts once. Two at a time: the
-- second finds that the position has moved and does nothing. All but the sums is worked out from what is true now, so the order in
-- which events come does not matter. In a database that was restored into another cluster nothing is taken (digest_identity). Look-ups are laterals with OFFSET 0: one index walk an event, however many the planner expects.
-- users: upkeep
WITH old AS MATERIALIZED (
    SELECT position::text AS text, position ->> 'prev' AS prev, coalesce(position ->> 'cur', pg_current_snapshot()::text) AS cur,
           coalesce((position ->> 'cur_at')::timestamptz, now()) AS cur_at,
           coalesce(position ->> 'xid', '0') AS xid, coalesce((position ->> 'seq')::bigint, 0) AS seq, d.identity
    FROM reader_position CROSS JOIN (SELECT database_identity() AS identity) d
    WHERE name = 'digest' AND coalesce(position ->> 'system', d.identity) = d.identity
),
batch AS MATERIALIZED (
    SELECT * FROM event
    WHERE xid >= pg_snapshot_xmin((SELECT prev::pg_snapshot FROM old)) AND xid < pg_snapshot_xmax((SELECT cur::pg_snapshot FROM old))
      AND (xid, seq) > ((SELECT xid::xid8 FROM old), (SELECT seq FROM old))
      AND pg_visible_in_snapshot(xid, (SELECT cur::pg_snapshot FROM old))
      AND NOT pg_visible_in_snapshot(xid, (SELECT prev::pg_snapshot FROM old))
    ORDER BY xid, seq LIMIT $1::int
),
claimed AS MATERIALIZED (
    UPDATE reader_position p
    SET position = CASE WHEN n.n < $1 THEN json_build_object('prev', o.cur, 'system', o.identity)
                        ELSE json_build_object('prev', o.prev, 'cur', o.cur, 'cur_at', o.cur_at, 'xid', l.xid::text, 'seq', l.seq,
                                                'system', o.identity) END,
        at = CASE WHEN n.n < $1 THEN o.cur_at ELSE p.at END
    FROM old o CROSS JOIN (SELECT count(*) AS n FROM batch) n
    LEFT JOIN (SELECT xid, seq FROM batch ORDER BY xid DESC, seq DESC LIMIT 1) l ON true
    WHERE p.name = 'digest' AND p.position::text = o.text AND (n.n > 0 OR p.at < now() - interval '2 seconds')
    RETURNING n.n
),
taken AS MATERIALIZED (
    SELECT b.*, (b.at AT TIME ZONE 'UTC')::date AS day FROM claimed CROSS JOIN batch b WHERE b.task_id IS NOT NULL
),
-- What people did, with the time it took: as the client said with the label, or else since the claim.
work AS (
    SELECT b.tenant_id, b.project_id, b.actor AS user_id, b.day, b.from_state AS stage, b.action::text,
           CASE WHEN b.action IN ('prelabel_failed', 'late', 'expire') THEN NULL
                WHEN l.lead_time IS NOT NULL THEN round(least(l.lead_time, 1e9) * 1000)
                ELSE round(extract(epoch FROM b.at - c.at) * 1000) END::bigint AS ms
    FROM taken b
    LEFT JOIN LATERAL (SELECT v.lead_time FROM label_version v WHERE v.tenant_id = b.tenant_id AND v.id = b.label_id OFFSET 0) l
        ON b.action <> 'late'
    LEFT JOIN LATERAL (
        SELECT e.at FROM event e
        WHERE e.tenant_id = b.tenant_id AND e.task_id = b.task_id AND e.action = 'claim' AND e.assignment_id = b.assignment_id
          AND e.assignment_version = b.assignment_version
        LIMIT 1) c ON l.lead_time IS NULL
    WHERE b.actor IS NOT NULL AND b.from_state IN ('prelabel', 'annotate', 'review', 'qa')
      AND b.action IN ('submit', 'skip', 'accept', 'fix', 'reject', 'pass', 'fail', 'prelabelled', 'prelabel_failed', 'late', 'expire')
),
-- What became of people's labels. A merged label is that of everybody who handed one in before.
judged AS (
    SELECT b.tenant_id, b.project_id, w.author AS user_id, b.day, b.from_state AS stage,
           CASE b.action WHEN 'accept' THEN 'accepted' WHEN 'fix' THEN 'fixed' WHEN 'reject' THEN 'rejected'
                         WHEN 'pass' THEN 'passed' ELSE 'failed' END AS action
    FROM taken b
    CROSS JOIN LATERAL (
        SELECT v.label_id FROM review v
        WHERE v.tenant_id = b.tenant_id AND v.task_id = b.task_id AND v.assignment_id = b.assignment_id AND v.created_at = b.at
        OFFSET 0) r
    CROSS JOIN LATERAL (SELECT * FROM label_version v WHERE v.tenant_id = b.tenant_id AND v.id = r.label_id OFFSET 0) l
    CROSS JOIN LATERAL (
        SELECT l.author WHERE l.author IS NOT NULL
        UNION
        SELECT s.author FROM label_version s
        WHERE l.kind = 'merge' AND s.tenant_id = l.tenant_id AND s.task_id = l.task_id AND s.kind = 'submission' AND s.seq < l.seq) w
    WHERE b.action IN ('accept', 'fix', 'reject', 'pass', 'fail')
),
again AS (
    SELECT b.tenant_id, b.project_id, b.actor AS user_id, b.day, b.from_state AS stage, 'resubmit' AS action
    FROM taken b CROSS JOIN LATERAL (
        SELECT FROM event e WHERE e.tenant_id = b.tenant_id AND e.task_id = b.task_id AND e.seq < b.seq
          AND e.action = 'submit' AND e.actor = b.actor
        LIMIT 1) before
    WHERE b.action = 'submit'
),
summed AS (
    INSERT INTO stat (tenant_id, project_id, user_id, day, stage, action, bucket, n, lead_ms)
    SELECT tenant_id, project_id, coalesce(user_id, 0), coalesce(day, '-infinity'), stage, action, bucket, count(*),
           coalesce(sum(ms), 0)
    FROM (SELECT *, lead_bucket(ms) AS bucket FROM work
          UNION ALL SELECT *, NULL, 0 FROM judged
          UNION ALL SELECT *, NULL, 0 FROM again) w
    GROUP BY tenant_id, project_id, stage, action, bucket, GROUPING SETS ((user_id, day), (user_id), (day), ())
    ON CONFLICT (tenant_id, project_id, user_id, day, stage, action, bucket)
        DO UPDATE SET n = stat.n + excluded.n, lead_ms = stat.lead_ms + excluded.lead_ms
),
entered AS (
    INSERT INTO task_since (tenant_id, task_id, project_id, version, since, state)
    SELECT DISTINCT ON (tenant_id, task_id) tenant_id, task_id, project_id, task_version, at, to_state
    FROM taken WHERE from_state <> to_state
    ORDER BY tenant_id, task_id, task_version DESC
    ON CONFLICT (tenant_id, task_id) DO UPDATE
        SET version = excluded.version, since = excluded.since, state = excluded.state
        WHERE task_since.version < excluded.version
),
stale AS (
    INSERT INTO label_stale (tenant_id, task_id, stamp)
    SELECT b.tenant_id, b.task_id, max(b.seq)
    FROM taken b
    CROSS JOIN LATERAL (SELECT k.head_label FROM task k WHERE k.tenant_id = b.tenant_id AND k.id = b.task_id OFFSET 0) t
    WHERE t.head_label IS NOT NULL AND b.action <> 'late' AND (b.label_id IS NOT NULL OR b.action = 'import')
    GROUP BY b.tenant_id, b.task_id
    ON CONFLICT (tenant_id, task_id) DO UPDATE SET stamp = greatest(label_stale.stamp, excluded.stamp)
),
compared AS ( -- what brings a submission, or opens a slot again
    INSERT INTO agreement_stale (tenant_id, task_id, stamp)
    SELECT b.tenant_id, b.task_id, max(b.seq)
    FROM taken b
    CROSS JOIN LATERAL (SELECT k.overlap, k.gold FROM task k WHERE k.tenant_id = b.tenant_id AND k.id = b.task_id OFFSET 0) t
    WHERE t.overlap > 1 AND NOT t.gold AND (b.action = 'submit' OR (b.to_state = 'annotate' AND b.action IN ('reject', 'reopen', 'restore')))
    GROUP BY b.tenant_id, b.task_id
    ON CONFLICT (tenant_id, task_id) DO UPDATE SET stamp = greatest(agreement_stale.stamp, excluded.stamp)
),
measured AS (
    INSERT INTO task_field (tenant_id, project_id, task_id, field, number)
    SELECT DISTINCT b.tenant_id, b.project_id, b.task_id, 'score', v.score::text::float8
    FROM taken b CROSS JOIN LATERAL (
        SELECT l.score FROM label_version l
        WHERE l.tenant_id = b.tenant_id AND l.task_id = b.task_id AND l.kind = 'prelabel' AND l.score IS NOT NULL
        ORDER BY l.seq DESC LIMIT 1) v
    WHERE b.action IN ('prelabelled', 'import')
    UNION ALL
    SELECT DISTINCT b.tenant_id, b.project_id, b.task_id, 'agreement', v.agreement
    FROM taken b CROSS JOIN LATERAL (
        SELECT (e.detail ->> 'agreement')::float8 AS agreement FROM event e
        WHERE e.tenant_id = b.tenant_id AND e.task_id = b.task_id AND e.action = 'submit'
          AND json_typeof(e.detail -> 'agreement') = 'number'
        ORDER BY e.seq DESC LIMIT 1) v
    WHERE b.action = 'submit'
    ON CONFLICT (tenant_id, task_id, field) WHERE number IS NOT NULL DO UPDATE SET number = excluded.number
),
found AS (
    INSERT INTO task_field (tenant_id, project_id, task_id, field, text, number)
    SELECT b.tenant_id, b.project_id, b.task_id, f.path, v.text, v.number
    FROM taken b
    JOIN search_field f ON f.tenant_id = b.tenant_id AND f.project_id = b.project_id AND f.state <> 'dropping'
    CROSS JOIN LATERAL (SELECT k.data FROM task k WHERE k.tenant_id = b.tenant_id AND k.id = b.task_id OFFSET 0) t
    CROSS JOIN LATERAL field_value(t.data, f.path) v
    WHERE b.action = 'import' AND (v.text IS NOT NULL OR v.number IS NOT NULL)
    ON CONFLICT DO NOTHING
)
SELECT coalesce(sum(n), 0) FROM claimed
