-- Autosaves what a person has so far, while the assignment is still theirs: compare-and-set like everything else.
-- users: server
INSERT INTO draft (tenant_id, assignment_id, user_id, assignment_version, result)
SELECT a.tenant_id, a.id, $3::bigint, $2::bigint, $4::json
FROM assignment a
WHERE a.id = $1::bigint AND a.version = $2 AND a.holder = $3 AND a.state IN ('leased', 'open')
ON CONFLICT (tenant_id, assignment_id, user_id) DO UPDATE
SET assignment_version = excluded.assignment_version, result = excluded.result, saved_at = now()
RETURNING to_json(saved_at)
