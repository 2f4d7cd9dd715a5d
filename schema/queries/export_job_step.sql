-- How far an export has come ($4 items), and that its maker lives. No row: it was cancelled, or somebody else makes it now.
-- users: export
UPDATE export_job SET done = $4::bigint, lease_until = now() + interval '15 seconds'
WHERE tenant_id = $1::bigint AND id = $2::bigint AND attempts = $3::int AND state = 'running'
RETURNING id
