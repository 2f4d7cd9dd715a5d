-- Keys of release items that cannot collide, imports that end with their server, an order of external ids that is the same in every
-- locale, and which database the digest has read.

-- How the keys of a release's items are written (release_key); a release keeps the format it was made with, as its root covers them.
ALTER TABLE release ADD COLUMN format smallint NOT NULL DEFAULT 1 CHECK (format IN (1, 2));
ALTER TABLE release ALTER COLUMN format SET DEFAULT 2;

-- The key of a release's item. Format 1: the external id, or the task's number, which another task's external id may equal.
-- Format 2: '#' before a number, and another '#' before an external id that begins with one; so no two tasks have one key.
CREATE FUNCTION release_key(format smallint, external_id text, task_id bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN format = 1 THEN coalesce(external_id, task_id::text)
                WHEN external_id IS NULL THEN '#' || task_id
                WHEN starts_with(external_id, '#') THEN '#' || external_id
                ELSE external_id END
$$;
REVOKE ALL ON FUNCTION release_key(smallint, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION release_key(smallint, text, bigint) TO annotate_worker;

-- An import's server renews this while the import is open; one whose server has died is closed by upkeep.
ALTER TABLE import ADD COLUMN lease_until timestamptz NOT NULL DEFAULT now() + interval '1 minute';
ALTER TABLE import DROP CONSTRAINT import_state_check;
ALTER TABLE import ADD CONSTRAINT import_state_check CHECK (state IN ('checking', 'running', 'done', 'failed', 'interrupted'));
CREATE INDEX import_open ON import (lease_until) WHERE state IN ('checking', 'running');
GRANT UPDATE (state, error, ended_at, updated_at) ON import TO annotate_worker;

-- Prefixes are ranges of bytes (search_by_external), whatever the database's locale.
ALTER TABLE task ALTER COLUMN external_id TYPE text COLLATE "C";

-- Which database this is: the cluster's identifier and the database's own number. Transaction numbers mean nothing in another one.
CREATE FUNCTION database_identity() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT s.system_identifier || '.' || d.oid FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
$$;
REVOKE ALL ON FUNCTION database_identity() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION database_identity() TO annotate_worker;

-- After a restore from a dump (`annotate migrate --restored`): all events there are count as written by this transaction, in the order
-- of seq, and the sums over them begin anew. Everything else that the digest keeps is worked out from what is true now. Answers how
-- many events. The owner's role is under row-level security as well, so tenant by tenant.
CREATE FUNCTION database_adopt() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint; total bigint := 0; t bigint;
BEGIN
    UPDATE reader_position SET position = json_build_object('prev', '1:1:', 'system', database_identity()), at = '-infinity'
        WHERE name = 'digest';
    FOR t IN SELECT id FROM tenant LOOP
        PERFORM set_config('app.tenant', t::text, true);
        UPDATE event SET xid = pg_current_xact_id() WHERE tenant_id = t;
        GET DIAGNOSTICS n = ROW_COUNT;
        total := total + n;
        DELETE FROM stat WHERE tenant_id = t;
    END LOOP;
    RETURN total;
END $$;
REVOKE ALL ON FUNCTION database_adopt() FROM PUBLIC;
