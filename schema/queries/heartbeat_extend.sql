-- Extends leases. A lease that has expired while nobody else claimed is taken up again, unless its holder has another slot of the
-- task by now (I3); the version does not change.
-- users: server
UPDATE assignment a
SET state = 'leased',
    lease_expires_at = now() + make_interval(secs => CASE WHEN h.lease_s > 0 THEN h.lease_s ELSE greatest(a.lease_s, 5) END)
FROM (
    -- Of two expired slots of one task, one.
    SELECT DISTINCT ON (b.holder, CASE WHEN k.stage = 'annotate' THEN -k.task_id ELSE k.id END)
        k.id, b.version, b.holder, b.lease_s
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[]) AS b(id, version, holder, lease_s)
    JOIN assignment k ON k.id = b.id
    WHERE k.version = b.version AND k.holder = b.holder
      AND (k.state = 'leased' OR k.stage <> 'annotate' OR NOT EXISTS (
            SELECT FROM assignment o WHERE o.holder = b.holder AND o.task_id = k.task_id AND o.stage = 'annotate'
              AND o.state IN ('leased', 'submitted', 'skipped') AND o.id <> k.id))
    ORDER BY b.holder, CASE WHEN k.stage = 'annotate' THEN -k.task_id ELSE k.id END, k.state = 'open', k.id
) h
WHERE a.id = h.id AND a.version = h.version AND a.holder = h.holder AND a.state IN ('leased', 'open')
RETURNING a.id, a.version, a.holder, to_json(a.lease_expires_at)
