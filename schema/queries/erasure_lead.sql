-- An order ($2) begins a walk: it serves all orders of the tenant that wait for one at the same step ($3).
-- Answers of each whether it has named media that are not looked for yet.
-- users: upkeep
UPDATE erasure SET leader = $2::bigint
WHERE tenant_id = $1::bigint AND state <> 'done' AND step = $3::text AND place = '' AND (leader IS NULL OR leader = $2)
RETURNING EXISTS (SELECT FROM erasure_media m WHERE m.tenant_id = erasure.tenant_id AND m.erasure_id = erasure.id AND m.state = 'named')
