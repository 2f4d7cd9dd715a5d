-- Ends the building of a release: its root, its counts, its data card, and the event that announces it, in one transaction with its
-- items; the snapshot is theirs, so the label config is the one they were taken under.
-- users: export
WITH done AS (
    UPDATE release SET state = 'ready', root = $3::bytea, items = $4::bigint, splits = $5::json, ready_at = now(),
        warnings = $6::json, card = $7::json, card_people = $8::json,
        label_config_version = (SELECT p.label_config_version FROM project p WHERE p.tenant_id = $1 AND p.id = release.project_id)
    WHERE tenant_id = $1::bigint AND id = $2::bigint AND state = 'building'
    RETURNING tenant_id, project_id, id, created_by
)
INSERT INTO event (tenant_id, project_id, release_id, actor, action, from_state, to_state, detail)
SELECT tenant_id, project_id, id, created_by, 'publish', 'none', 'none', json_build_object('type', 'release_ready')
FROM done
RETURNING seq
