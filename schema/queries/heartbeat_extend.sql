-- Extends leases of who may still work in the project. A lease that has expired while nobody else claimed is taken up again, unless its
-- holder has another slot of the task by now (I3); the version does not change. Last column: whether the holder should hurry: less than
-- a third of the lease was left, or the project or the person in it is paused.
-- users: server
WITH beat AS MATERIALIZED (
    SELECT DISTINCT ON (h.holder, CASE WHEN a.stage = 'annotate' THEN -a.task_id ELSE a.id END) -- of two expired slots of a task, one
           h.id, h.version, h.holder, CASE WHEN h.lease_s > 0 THEN h.lease_s ELSE greatest(a.lease_s, 5) END AS lease_s,
           a.lease_expires_at IS NULL OR a.lease_expires_at < now() + make_interval(secs => greatest(a.lease_s, 5) / 3.0)
               OR p.paused OR coalesce(m.paused, false) AS soon
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[]) AS h(id, version, holder, lease_s)
    JOIN assignment a ON a.id = h.id AND a.version = h.version AND a.holder = h.holder
    JOIN project p ON p.id = a.project_id
    LEFT JOIN LATERAL (SELECT k.role, k.paused FROM project_member k WHERE k.project_id = a.project_id AND k.user_id = h.holder) m ON true
    WHERE (m.role <> 'viewer' OR EXISTS (SELECT FROM app_user u WHERE u.id = h.holder AND u.admin)) AND (a.state = 'leased' OR a.stage <> 'annotate' OR NOT EXISTS (
            SELECT FROM assignment o WHERE o.holder = h.holder AND o.task_id = a.task_id AND o.stage = 'annotate'
              AND o.state IN ('leased', 'submitted', 'skipped') AND o.id <> a.id))
    ORDER BY h.holder, CASE WHEN a.stage = 'annotate' THEN -a.task_id ELSE a.id END, a.state = 'open', a.id
)
UPDATE assignment a
SET state = 'leased', lease_expires_at = now() + make_interval(secs => b.lease_s)
FROM beat b
WHERE a.id = b.id AND a.version = b.version AND a.holder = b.holder AND a.state IN ('leased', 'open')
RETURNING a.id, a.version, a.holder, to_json(a.lease_expires_at), b.soon
