-- Forgets the bytes of exports ($1 tenants, $2 ids): they are gone. Who orders the same again gets them made anew.
-- users: upkeep
UPDATE export_job j SET state = 'expired', expires_at = NULL
FROM unnest($1::bigint[], $2::bigint[]) AS u(tenant, id)
WHERE j.tenant_id = u.tenant AND j.id = u.id AND j.state = 'done'
RETURNING j.id
