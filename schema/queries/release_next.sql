-- The oldest release waiting to be built; the row lock keeps a second worker off it.
-- users: export
SELECT tenant_id, id, project_id, split, salt, filter, group_by, pin_by
FROM release WHERE state = 'building' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
