-- Gives a release up, with the reason.
-- users: export
UPDATE release SET state = 'failed', error = $3::text WHERE tenant_id = $1::bigint AND id = $2::bigint AND state = 'building'
RETURNING id
