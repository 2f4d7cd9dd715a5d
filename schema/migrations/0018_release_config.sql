-- A release keeps the label config it was built under: formats draw the classes of an export from it, so its bytes stay the same
-- when the project gets another one.

ALTER TABLE release ADD COLUMN label_config_version int; -- set when it is ready

-- Of those there are: what the project had when they were built. The owner is under row-level security like any other, so tenant by
-- tenant; and a ready release does not change but here.
ALTER TABLE release DISABLE TRIGGER release_frozen;
DO $$
DECLARE t bigint;
BEGIN
    FOR t IN SELECT id FROM tenant LOOP
        PERFORM set_config('app.tenant', t::text, true);
        UPDATE release r SET label_config_version = coalesce(
            (SELECT max(c.version) FROM label_config c WHERE c.tenant_id = t AND c.project_id = r.project_id
                AND c.created_at <= coalesce(r.ready_at, r.created_at)), 1)
        WHERE r.tenant_id = t AND r.state IN ('ready', 'deleting');
    END LOOP;
END $$;
ALTER TABLE release ENABLE TRIGGER release_frozen;

ALTER TABLE release ADD CONSTRAINT release_state_config CHECK (state <> 'ready' OR label_config_version IS NOT NULL);
