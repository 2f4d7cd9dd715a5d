-- An import begins. $1 project, $2 who, $3 what becomes of bad items, $4 its state. Row: its id, then as quota_room.
-- users: server
WITH begun AS (
    INSERT INTO import (tenant_id, project_id, created_by, errors, state)
    VALUES (current_setting('app.tenant')::bigint, $1::bigint, $2::bigint, $3::text, $4::text)
    RETURNING tenant_id, id
)
SELECT b.id, t.most, CASE WHEN t.most IS NOT NULL THEN quota_used(b.tenant_id, 'tasks') END,
       y.most, CASE WHEN y.most IS NOT NULL THEN quota_used(b.tenant_id, 'bytes') END
FROM begun b
LEFT JOIN quota t ON t.tenant_id = b.tenant_id AND t.name = 'tasks'
LEFT JOIN quota y ON y.tenant_id = b.tenant_id AND y.name = 'bytes'
