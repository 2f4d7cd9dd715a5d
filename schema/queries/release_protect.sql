-- Protects a release from being deleted, or no longer ($2). One that is being built is its builder's. Answers like release_get.
-- users: server
UPDATE release SET protected = $2::bool WHERE id = $1::bigint AND state IN ('ready', 'failed')
RETURNING id, project_id, name, state, items, root, splits, to_json(created_at), error, split, salt, format, filter, group_by, pin_by,
       description, licence, protected, warnings
