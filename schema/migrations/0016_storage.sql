-- Keeping the storage (docs/storage.md): what nothing needs goes after a grace period, small packs become large ones, everything is
-- hashed again now and then, and content ends on request.

-- A dead pack: nothing refers to it since then. It goes after the grace period, if that still holds and every transaction that was
-- under way when it died (dead_xid) has ended. A failed one could not be read whole: it is not merged.
ALTER TABLE pack ADD COLUMN dead_at timestamptz, ADD COLUMN dead_xid xid8, ADD COLUMN failed_at timestamptz;
ALTER TABLE pack ADD CONSTRAINT pack_dead CHECK ((dead_at IS NULL) = (dead_xid IS NULL));
CREATE INDEX pack_dead ON pack (dead_at) WHERE dead_at IS NOT NULL;
CREATE INDEX pack_small ON pack (tenant_id, created_at) WHERE bytes < 1048576 AND dead_at IS NULL AND failed_at IS NULL;
-- What refers to a pack. The rows of a pack are made together, so their entries stand together.
CREATE INDEX label_version_pack ON label_version (tenant_id, pack);

-- What is dead does not count as used.
CREATE FUNCTION usage_of_dead_pack() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO usage (tenant_id, name, delta)
    VALUES (NEW.tenant_id, 'labels', CASE WHEN NEW.dead_at IS NULL THEN NEW.bytes ELSE -NEW.bytes END);
    RETURN NULL;
END $$;
CREATE TRIGGER usage_moved AFTER UPDATE OF dead_at ON pack FOR EACH ROW
    WHEN (NEW.bytes > 0 AND (NEW.dead_at IS NULL) <> (OLD.dead_at IS NULL)) EXECUTE FUNCTION usage_of_dead_pack();

-- What hashing everything again has found and is still so.
CREATE TABLE scrub_finding (
    tenant_id bigint NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('label', 'asset')),
    id        text NOT NULL,             -- a label version's id, an asset's SHA-256
    what      text NOT NULL CHECK (what IN ('missing', 'corrupt')),
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, kind, id)
);
ALTER TABLE scrub_finding ENABLE ROW LEVEL SECURITY;
ALTER TABLE scrub_finding FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON scrub_finding USING (tenant_id = current_setting('app.tenant')::bigint)
    WITH CHECK (tenant_id = current_setting('app.tenant')::bigint);

-- The worker moves documents from pack to pack and removes packs; what a version is, it cannot change.
GRANT INSERT, DELETE ON pack TO annotate_worker;
GRANT UPDATE (dead_at, dead_xid, failed_at) ON pack TO annotate_worker;
GRANT UPDATE (pack, pack_off) ON label_version TO annotate_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON scrub_finding TO annotate_worker;
