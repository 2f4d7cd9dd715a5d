-- What a tenant may use at most, and what it uses: exact, and without a count. Enforced here, whoever writes, and never against what a
-- person typed (I1): labels, verdicts, drafts and comments are counted and always taken.

-- No row: no limit.
CREATE TABLE quota (
    tenant_id bigint NOT NULL REFERENCES tenant,
    name      text NOT NULL CHECK (name IN ('projects', 'users', 'tasks', 'bytes', 'tokens')), -- tokens: live ones of one user
    most      bigint NOT NULL CHECK (most BETWEEN 0 AND 9007199254740991),
    PRIMARY KEY (tenant_id, name)
);

-- Like counter: a delta row a statement, folded by upkeep. What counts towards `bytes` are media and labels.
CREATE TABLE usage (
    tenant_id bigint NOT NULL,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    delta     bigint NOT NULL,
    name      text NOT NULL CHECK (name IN ('projects', 'users', 'tasks', 'media', 'labels'))
);
CREATE INDEX usage_name ON usage (tenant_id, name) INCLUDE (delta);

CREATE FUNCTION quota_used(tenant bigint, wanted text) RETURNS bigint LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(sum(u.delta), 0)::bigint FROM usage u
    WHERE u.tenant_id = tenant AND u.name = ANY (CASE wanted WHEN 'bytes' THEN ARRAY['media', 'labels'] ELSE ARRAY[wanted] END)
$$;

CREATE FUNCTION quota_exceeded(quota text, most bigint, used bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'AQ001', MESSAGE = format('the quota of %s is %s', quota, most),
        DETAIL = format('"quota":"%s","limit":%s,"used":%s', quota, most, used);
END $$;

-- Exact under concurrency: where there is a limit, one transaction after the other, and each reads what the one before has added.
CREATE FUNCTION quota_hold() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    wanted text := CASE NEW.name WHEN 'media' THEN 'bytes' ELSE NEW.name END;
    most bigint := (SELECT q.most FROM quota q WHERE q.tenant_id = NEW.tenant_id AND q.name = wanted);
    used bigint;
BEGIN
    IF most IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('quota ' || wanted, NEW.tenant_id));
        used := quota_used(NEW.tenant_id, wanted);
        IF used > most THEN
            PERFORM quota_exceeded(wanted, most, used - NEW.delta);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER quota_hold AFTER INSERT ON usage FOR EACH ROW WHEN (NEW.delta > 0 AND NEW.name <> 'labels') EXECUTE FUNCTION quota_hold();

-- Of one user, so few that looking is cheap.
CREATE INDEX api_token_live ON api_token (tenant_id, user_id) WHERE revoked_at IS NULL;
CREATE FUNCTION quota_hold_tokens() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    most bigint := (SELECT q.most FROM quota q WHERE q.tenant_id = NEW.tenant_id AND q.name = 'tokens');
BEGIN
    IF most IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('quota tokens ' || NEW.user_id, NEW.tenant_id));
        IF EXISTS (SELECT FROM api_token t WHERE t.tenant_id = NEW.tenant_id AND t.user_id = NEW.user_id AND t.revoked_at IS NULL
                   OFFSET most LIMIT 1) THEN
            PERFORM quota_exceeded('tokens', most, most);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER quota_hold_tokens AFTER INSERT ON api_token FOR EACH ROW EXECUTE FUNCTION quota_hold_tokens();

-- Tasks are counted by the statements that make them. What is archived or disabled does not count, and is counted when it comes back.
CREATE FUNCTION usage_of_project() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO usage (tenant_id, name, delta) VALUES (NEW.tenant_id, 'projects', CASE WHEN NEW.archived_at IS NULL THEN 1 ELSE -1 END);
    RETURN NULL;
END $$;
CREATE FUNCTION usage_of_user() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO usage (tenant_id, name, delta) VALUES (NEW.tenant_id, 'users', CASE WHEN NEW.disabled THEN -1 ELSE 1 END);
    RETURN NULL;
END $$;
CREATE FUNCTION usage_of_bytes() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO usage (tenant_id, name, delta) VALUES (NEW.tenant_id, TG_ARGV[0], NEW.bytes);
    RETURN NULL;
END $$;
CREATE TRIGGER usage_made AFTER INSERT ON project FOR EACH ROW WHEN (NEW.archived_at IS NULL) EXECUTE FUNCTION usage_of_project();
CREATE TRIGGER usage_moved AFTER UPDATE OF archived_at ON project FOR EACH ROW
    WHEN ((NEW.archived_at IS NULL) <> (OLD.archived_at IS NULL)) EXECUTE FUNCTION usage_of_project();
CREATE TRIGGER usage_made AFTER INSERT ON app_user FOR EACH ROW WHEN (NOT NEW.disabled) EXECUTE FUNCTION usage_of_user();
CREATE TRIGGER usage_moved AFTER UPDATE OF disabled ON app_user FOR EACH ROW
    WHEN (NEW.disabled <> OLD.disabled) EXECUTE FUNCTION usage_of_user();
CREATE TRIGGER usage_made AFTER INSERT ON asset FOR EACH ROW WHEN (NEW.bytes > 0) EXECUTE FUNCTION usage_of_bytes('media');
CREATE TRIGGER usage_made AFTER INSERT ON pack FOR EACH ROW WHEN (NEW.bytes > 0) EXECUTE FUNCTION usage_of_bytes('labels');

-- What there is already. The owner is under row-level security like any other, so tenant by tenant.
DO $$
DECLARE t bigint;
BEGIN
    FOR t IN SELECT id FROM tenant LOOP
        PERFORM set_config('app.tenant', t::text, true);
        INSERT INTO usage (tenant_id, name, delta)
        SELECT t, n.name, n.n FROM (
            SELECT 'projects' AS name, count(*) AS n FROM project WHERE archived_at IS NULL
            UNION ALL SELECT 'users', count(*) FROM app_user WHERE NOT disabled
            UNION ALL SELECT 'tasks', count(*) FROM task
            UNION ALL SELECT 'media', coalesce(sum(bytes), 0) FROM asset
            UNION ALL SELECT 'labels', coalesce(sum(bytes), 0) FROM pack) n
        WHERE n.n > 0;
    END LOOP;
END $$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['quota', 'usage'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', t);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION quota_used(bigint, text), quota_exceeded(text, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION quota_used(bigint, text), quota_exceeded(text, bigint, bigint) TO annotate_api, annotate_worker;
GRANT SELECT ON quota TO annotate_api, annotate_worker;
GRANT SELECT, INSERT ON usage TO annotate_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage TO annotate_worker;
