-- Extends leases. A lease that has expired while nobody else claimed is taken up again; the version does not change.
-- users: server
UPDATE assignment a
SET state = 'leased',
    lease_expires_at = now() + make_interval(secs => CASE WHEN h.lease_s > 0 THEN h.lease_s ELSE greatest(a.lease_s, 5) END)
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[]) AS h(id, version, holder, lease_s)
WHERE a.id = h.id AND a.version = h.version AND a.holder = h.holder AND a.state IN ('leased', 'open')
RETURNING a.id, a.version, to_json(a.lease_expires_at)
