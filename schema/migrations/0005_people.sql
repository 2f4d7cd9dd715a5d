-- People and projects as they come and go: invites, ended sessions, archived and duplicated projects, the end of a tenant.

ALTER TABLE app_user ADD COLUMN token_epoch bigint NOT NULL DEFAULT 0; -- a login token of another epoch is dead
ALTER TABLE project
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN copy_of bigint,                  -- the project whose tasks it gets
    ADD COLUMN copy_after bigint,               -- the last task that came over; NULL: all have, or none are to
    ADD CONSTRAINT project_copy CHECK (copy_after IS NULL OR copy_of IS NOT NULL);

-- What an invited person will be. The token's text is given out once; the row has its hash.
CREATE TABLE invite (
    tenant_id   bigint NOT NULL REFERENCES tenant,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    email       text NOT NULL CHECK (length(email) BETWEEN 3 AND 254 AND email = lower(email)),
    name        text CHECK (length(name) BETWEEN 1 AND 200),
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    created_by  bigint NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL DEFAULT now() + interval '7 days',
    accepted_at timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES app_user
);
CREATE INDEX invite_open ON invite (tenant_id, id) WHERE accepted_at IS NULL AND revoked_at IS NULL;

CREATE TABLE invite_project (
    tenant_id  bigint NOT NULL,
    invite_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    role       project_role NOT NULL,
    PRIMARY KEY (tenant_id, invite_id, project_id),
    FOREIGN KEY (tenant_id, invite_id) REFERENCES invite,
    FOREIGN KEY (tenant_id, project_id) REFERENCES project
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['invite', 'invite_project'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON invite TO annotate_api;
GRANT SELECT, INSERT ON invite_project TO annotate_api;
GRANT USAGE ON SEQUENCE invite_id_seq TO annotate_api;
GRANT SELECT ON invite, invite_project TO annotate_worker;

-- Login puts the epoch into the token.
DROP FUNCTION login_find(text);
CREATE FUNCTION login_find(address text)
RETURNS TABLE (tenant_id bigint, user_id bigint, name text, admin boolean, password text, token_epoch bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT u.tenant_id, u.id, u.name, u.admin, u.password, u.token_epoch FROM app_user u
    WHERE u.email = lower(address) AND NOT u.disabled
$$;
ALTER FUNCTION login_find(text) OWNER TO annotate_worker;
REVOKE ALL ON FUNCTION login_find(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login_find(text) TO annotate_api;

-- A ready release never changes; it ends with its tenant only (tenant_delete_rows).
CREATE OR REPLACE FUNCTION release_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'ready' AND (TG_OP <> 'DELETE' OR current_setting('app.ending', true) IS DISTINCT FROM OLD.tenant_id::text) THEN
        RAISE EXCEPTION 'release % is ready and cannot change', OLD.id USING ERRCODE = '23514';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- Every table with rows of tenants, partitions one by one, such that a table comes before those that it refers to. Read from the
-- catalog: a table of a later migration is among them without being told.
CREATE FUNCTION tenant_tables() RETURNS TABLE (name text) LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH RECURSIVE held AS (
        SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    ),
    depth (oid, n) AS (
        SELECT oid, 0 FROM held
        UNION
        SELECT k.confrelid, d.n + 1 FROM depth d
        JOIN pg_constraint k ON k.conrelid = d.oid AND k.contype = 'f' AND k.confrelid <> k.conrelid
        WHERE d.n < 20
    )
    SELECT d.oid::regclass::text FROM depth d WHERE d.oid IN (SELECT oid FROM held) GROUP BY d.oid ORDER BY max(d.n), d.oid
$$;

-- Deletes at most so many rows of the current tenant (app.tenant) from one of those tables; returns how many. Row-level security
-- holds the owner too, so no other tenant's row can be met.
CREATE FUNCTION tenant_delete_rows(tbl text, most int) RETURNS bigint LANGUAGE plpgsql
SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    n bigint;
BEGIN
    IF tbl NOT IN (SELECT name FROM tenant_tables()) THEN
        RAISE EXCEPTION '% is no table of tenants', tbl;
    END IF;
    PERFORM set_config('app.ending', current_setting('app.tenant'), true);
    EXECUTE format('DELETE FROM %s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$s'
                   ' WHERE tenant_id = current_setting(''app.tenant'')::bigint LIMIT $1))', tbl) USING most;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
REVOKE ALL ON FUNCTION tenant_tables(), tenant_delete_rows(text, int) FROM PUBLIC;
