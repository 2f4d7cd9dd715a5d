-- Declares a data path to search by, in the lowest free slot; what is declared stays as it is. No row: no slot is free.
-- users: server
WITH free AS (
    SELECT min(s.slot) AS slot FROM generate_series(1, 8) AS s(slot)
    WHERE NOT EXISTS (SELECT FROM search_field f WHERE f.project_id = $1::bigint AND f.slot = s.slot)
),
known AS (
    SELECT path, state, to_json(created_at) AS created_at FROM search_field WHERE project_id = $1 AND path = $2::text
),
made AS (
    INSERT INTO search_field (tenant_id, project_id, path, slot, created_by)
    SELECT current_setting('app.tenant')::bigint, $1, $2, slot, $3::bigint FROM free
    WHERE slot IS NOT NULL AND NOT EXISTS (SELECT FROM known)
    ON CONFLICT DO NOTHING
    RETURNING path, state, to_json(created_at) AS created_at
)
SELECT * FROM known UNION ALL SELECT * FROM made
