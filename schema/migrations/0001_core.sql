-- The data model of docs/design.md §4, as far as the first slice needs it. tenant_id leads every key, so that the schema also
-- distributes by it. Hot tables (assignment, event, label_version, draft) have no foreign key to rows that everything shares:
-- a key to one shared row makes a multixact per insert; a test hunts orphans instead.
-- Roles (created by `annotate migrate` as the cluster's superuser, see deploy/roles.sql): annotate_owner owns and migrates,
-- annotate_api serves (row-level security forced), annotate_worker reads across tenants (BYPASSRLS) for stream, upkeep, export.

-- Domains over text, not enum types: with row-level security only leakproof operators reach an index, and enum_eq is not one.
CREATE DOMAIN stage AS text CHECK (VALUE IN ('prelabel', 'annotate', 'review', 'qa'));
CREATE DOMAIN task_state AS text
    CHECK (VALUE IN ('none', 'prelabel', 'annotate', 'review', 'qa', 'done', 'skipped', 'archived'));
CREATE DOMAIN assignment_state AS text CHECK (VALUE IN ('open', 'leased', 'submitted', 'skipped', 'cancelled'));
CREATE DOMAIN project_role AS text CHECK (VALUE IN ('viewer', 'annotator', 'reviewer', 'qa', 'model', 'manager'));
CREATE DOMAIN label_kind AS text CHECK
    (VALUE IN ('prelabel', 'import', 'submission', 'review_fix', 'qa_fix', 'merge', 'late', 'restore'));
CREATE DOMAIN action AS text CHECK (VALUE IN
    ('import', 'prelabelled', 'prelabel_failed', 'submit', 'skip', 'accept', 'fix', 'reject', 'pass', 'fail',
     'reopen', 'archive', 'restore', 'claim', 'expire', 'release', 'late',
     'publish')); -- of a release, not of a task

CREATE TABLE tenant (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE app_user (
    tenant_id  bigint NOT NULL REFERENCES tenant,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    email      text NOT NULL CHECK (length(email) BETWEEN 3 AND 254 AND email = lower(email)),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    password   text,                      -- crypt(3) yescrypt; NULL: no password login (workers, SSO)
    admin      boolean NOT NULL DEFAULT false,
    disabled   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
-- An e-mail address logs in to one tenant: login knows the address only (see login_find).
CREATE UNIQUE INDEX app_user_email ON app_user (email);

CREATE TABLE api_token (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    user_id    bigint NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES app_user
);

CREATE TABLE project (
    tenant_id            bigint NOT NULL REFERENCES tenant,
    id                   bigint GENERATED ALWAYS AS IDENTITY,
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    workflow             json NOT NULL,
    salt                 bigint NOT NULL,       -- sampling: hash of (salt, task)
    label_config_version int NOT NULL DEFAULT 1,
    paused               boolean NOT NULL DEFAULT false,
    version              bigint NOT NULL DEFAULT 1,
    created_by           bigint NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE label_config (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    version    int NOT NULL,
    xml        text NOT NULL,
    created_by bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, project_id, version),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project
);

CREATE TABLE project_member (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    user_id    bigint NOT NULL,
    role       project_role NOT NULL,
    added_by   bigint NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, project_id, user_id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project,
    FOREIGN KEY (tenant_id, user_id) REFERENCES app_user
);
CREATE INDEX project_member_user ON project_member (tenant_id, user_id);

CREATE TABLE asset (
    tenant_id  bigint NOT NULL,
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    media_type text NOT NULL,
    bytes      bigint NOT NULL CHECK (bytes >= 0),
    width      int,
    height     int,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, sha256)
);

-- Cold: what a task is. Its version grows by exactly 1 per accepted change of its state or label (I2).
CREATE TABLE task (
    tenant_id     bigint NOT NULL,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    project_id    bigint NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    head_label    bigint,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    state         task_state NOT NULL CHECK (state <> 'none'),
    archived_from task_state CHECK ((archived_from IS NOT NULL) = (state = 'archived')),
    priority      int NOT NULL DEFAULT 0,
    label_seq     int NOT NULL DEFAULT 0,     -- label_version.seq of the newest version
    overlap       smallint NOT NULL DEFAULT 1 CHECK (overlap BETWEEN 1 AND 9),
    rework_count  smallint NOT NULL DEFAULT 0,
    skip_count    smallint NOT NULL DEFAULT 0,
    external_id   text CHECK (length(external_id) BETWEEN 1 AND 500),
    data          json NOT NULL,              -- json, not jsonb: what was imported comes back to the last digit
    meta          json,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX task_external ON task (tenant_id, project_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX task_list ON task (tenant_id, project_id, state, id);

-- Hot: one slot of work on a task at one stage. The row is used again when its stage comes round again (rework), with a higher
-- version. The version is the fencing token: a claim increments it, heartbeat, draft, submit, skip and release carry it (I3).
CREATE TABLE assignment (
    tenant_id        bigint NOT NULL,
    id               bigint GENERATED ALWAYS AS IDENTITY,
    project_id       bigint NOT NULL,
    task_id          bigint NOT NULL,
    version          bigint NOT NULL DEFAULT 0,
    holder           bigint,                  -- of version; stays when the lease expires, so that late work still matches
    lease_expires_at timestamptz,
    reserved_for     bigint,
    reserved_until   timestamptz,
    rank             int NOT NULL DEFAULT 0,  -- minus the task's priority: ascending, so that a row comparison resumes the queue
    lease_s          int NOT NULL DEFAULT 0,  -- of the last claim; heartbeats extend by it
    slot             smallint NOT NULL DEFAULT 1 CHECK (slot BETWEEN 1 AND 9),
    expiries         smallint NOT NULL DEFAULT 0,
    stage            stage NOT NULL,
    state            assignment_state NOT NULL DEFAULT 'open',
    excluded         bigint[] NOT NULL DEFAULT '{}',  -- who may never take it: own work, skippers (I3)
    PRIMARY KEY (tenant_id, id),
    CHECK ((state = 'leased') = (lease_expires_at IS NOT NULL)),
    CHECK (state NOT IN ('leased', 'submitted') OR holder IS NOT NULL),
    CHECK ((reserved_for IS NULL) = (reserved_until IS NULL))
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX assignment_slot ON assignment (tenant_id, task_id, stage, slot);
-- The queue: what anybody may take, best first.
CREATE INDEX assignment_open ON assignment (tenant_id, project_id, stage, rank, id) WHERE state = 'open' AND reserved_for IS NULL;
CREATE INDEX assignment_reserved ON assignment (tenant_id, project_id, stage, reserved_for)
    WHERE state = 'open' AND reserved_for IS NOT NULL;
CREATE INDEX assignment_leased ON assignment (tenant_id, project_id, stage, holder) WHERE state = 'leased';
-- I3: one person, one slot of a task's annotation.
CREATE UNIQUE INDEX assignment_person ON assignment (tenant_id, holder, task_id)
    WHERE stage = 'annotate' AND state IN ('leased', 'submitted', 'skipped');

-- Where a person's search for work resumes: what lay before it was not for them when they last looked. When nothing is found
-- behind it the search starts from the head again, so a stale cursor costs order, never work.
CREATE TABLE claim_cursor (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    user_id    bigint NOT NULL,
    stage      stage NOT NULL,
    rank       int NOT NULL,
    id         bigint NOT NULL,
    PRIMARY KEY (tenant_id, project_id, user_id, stage)
);

-- One immutable object of many label documents (storage/pack.h).
CREATE TABLE pack (
    tenant_id  bigint NOT NULL,
    id         uuid NOT NULL,
    bytes      bigint NOT NULL,
    documents  int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

-- Immutable: one version of a task's label (I1, I6: the row exists only after the blob is durable).
CREATE TABLE label_version (
    tenant_id            bigint NOT NULL,
    id                   bigint GENERATED BY DEFAULT AS IDENTITY, -- drawn ahead, as task.head_label names it in the same statement
    project_id           bigint NOT NULL,
    task_id              bigint NOT NULL,
    parent               bigint,
    author               bigint,                -- the person; NULL for a model
    assignment_id        bigint,
    assignment_version   bigint,
    pack_off             bigint NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now(),
    seq                  int NOT NULL,
    bytes                int NOT NULL,
    regions              int NOT NULL,
    label_config_version int NOT NULL,
    stage                stage NOT NULL,
    kind                 label_kind NOT NULL,
    lead_time            real,
    score                real,
    model                text,
    sha256               bytea NOT NULL CHECK (length(sha256) = 32),
    pack                 uuid NOT NULL,
    PRIMARY KEY (tenant_id, task_id, seq)
);
CREATE UNIQUE INDEX label_version_id ON label_version (tenant_id, id);

CREATE TABLE draft (
    tenant_id          bigint NOT NULL,
    assignment_id      bigint NOT NULL,
    user_id            bigint NOT NULL,
    assignment_version bigint NOT NULL,
    result             json NOT NULL,
    saved_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, assignment_id, user_id)
);

CREATE TABLE review (
    tenant_id     bigint NOT NULL,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    task_id       bigint NOT NULL,
    assignment_id bigint NOT NULL,
    reviewer      bigint NOT NULL,
    stage         stage NOT NULL,
    verdict       action NOT NULL,
    label_id      bigint,                       -- what was judged
    fix_label     bigint,                       -- what the reviewer made of it
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, task_id, id)
);

CREATE TABLE comment (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    task_id    bigint NOT NULL,
    author     bigint NOT NULL,
    region     text,                            -- id of the region it is anchored to
    text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 10000),
    resolved   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, task_id, id)
);

-- Append-only: audit log, outbox, history, all from one source. Written in the transaction of the change, by the statement that
-- holds the task's (claims: the assignment's) row lock, so `seq` is the order of that task. CACHE 1 is required for that.
CREATE TABLE event (
    xid                xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq                bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
    tenant_id          bigint NOT NULL,
    project_id         bigint NOT NULL,
    task_id            bigint,                  -- NULL: about the project or a release
    task_version       bigint,
    actor              bigint,
    assignment_id      bigint,
    assignment_version bigint,
    label_id           bigint,
    release_id         bigint,
    at                 timestamptz NOT NULL DEFAULT now(),
    action             action NOT NULL,
    from_state         task_state NOT NULL,
    to_state           task_state NOT NULL,
    detail             json,
    CONSTRAINT event_workflow CHECK (task_id IS NULL OR
        -- workflow begin (core/workflow.def; a test compares). One list of strings: row comparisons would be built anew by
        -- every statement that inserts, at a millisecond each.
        from_state || ' ' || action || ' ' || to_state IN (
            'none import prelabel',
            'none import annotate',
            'prelabel prelabelled annotate',
            'prelabel prelabelled review',
            'prelabel prelabel_failed annotate',
            'annotate submit annotate',
            'annotate submit review',
            'annotate submit qa',
            'annotate submit done',
            'annotate skip annotate',
            'annotate skip skipped',
            'review accept qa',
            'review accept done',
            'review fix qa',
            'review fix done',
            'review reject annotate',
            'qa pass done',
            'qa fix done',
            'qa fail review',
            'done reopen annotate',
            'done reopen review',
            'skipped reopen annotate',
            'skipped reopen review',
            'prelabel archive archived',
            'annotate archive archived',
            'review archive archived',
            'qa archive archived',
            'done archive archived',
            'skipped archive archived',
            'archived restore prelabel',
            'archived restore annotate',
            'archived restore review',
            'archived restore qa',
            'archived restore done',
            'archived restore skipped',
            'prelabel claim prelabel',
            'annotate claim annotate',
            'review claim review',
            'qa claim qa',
            'prelabel expire prelabel',
            'annotate expire annotate',
            'review expire review',
            'qa expire qa',
            'prelabel release prelabel',
            'annotate release annotate',
            'review release review',
            'qa release qa',
            'prelabel late prelabel',
            'annotate late annotate',
            'review late review',
            'qa late qa',
            'done late done',
            'skipped late skipped',
            'archived late archived'
        )
        -- workflow end
    )
) PARTITION BY RANGE (at);
CREATE INDEX event_reader ON event (xid, seq);
CREATE INDEX event_task ON event (tenant_id, task_id, seq);
-- Months are made ahead by event_partitions() (below; upkeep calls it). The default one takes what no month does.
CREATE TABLE event_default PARTITION OF event DEFAULT;

-- Exact counters without a hot row: one delta row a batch; upkeep folds old rows into one a name.
CREATE TABLE counter (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    project_id bigint NOT NULL,
    delta      bigint NOT NULL,
    name       text NOT NULL
);
CREATE INDEX counter_name ON counter (tenant_id, project_id, name) INCLUDE (delta);

CREATE TABLE release (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    project_id bigint NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    state      text NOT NULL DEFAULT 'building' CHECK (state IN ('building', 'ready', 'failed')),
    split      json NOT NULL,
    salt       text NOT NULL,
    items      bigint,
    root       bytea CHECK (length(root) = 32),
    splits     json,
    error      text,
    created_by bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ready_at   timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, project_id, name),
    CHECK ((state = 'ready') = (root IS NOT NULL))
);
CREATE INDEX release_building ON release (id) WHERE state = 'building';

CREATE TABLE release_item (
    tenant_id  bigint NOT NULL,
    release_id bigint NOT NULL,
    task_id    bigint NOT NULL,
    label_id   bigint NOT NULL,
    split      text NOT NULL,
    label_sha256 bytea NOT NULL,
    asset_sha256 bytea[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, release_id, task_id)
);

-- A ready release never changes.
CREATE FUNCTION release_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'ready' THEN
        RAISE EXCEPTION 'release % is ready and cannot change', OLD.id USING ERRCODE = '23514';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER release_frozen BEFORE UPDATE OR DELETE ON release FOR EACH ROW EXECUTE FUNCTION release_frozen();

-- Where each reader of events stands, for readers whose position does not live with their own output (upkeep's own use).
CREATE TABLE reader_position (
    name     text PRIMARY KEY,
    position json NOT NULL,
    at       timestamptz NOT NULL DEFAULT now()
);

-- Row-level security: plain current_setting, so an unset tenant is an error, not an empty answer (I8).
DO $$
DECLARE t text;
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', t);
    END LOOP;
END $$;

-- Makes the monthly partitions of event from the current month to `ahead` months on; returns how many were missing. A month is made
-- before its first row, so the default partition never has to give rows up.
CREATE FUNCTION event_partitions(ahead int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date;
    name text;
    made int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('event_partitions'));
    FOR i IN 0..least(ahead, 24) LOOP
        first := date_trunc('month', now() AT TIME ZONE 'UTC')::date + make_interval(months => i);
        name := 'event_' || to_char(first, 'YYYYMM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)', name,
            first::text || ' 00:00:00+00', (first + interval '1 month')::date::text || ' 00:00:00+00');
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', name);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
SELECT event_partitions(2);

-- The one look-up that precedes a tenant. Its owner bypasses RLS; it gives no more than login needs.
CREATE FUNCTION login_find(address text)
RETURNS TABLE (tenant_id bigint, user_id bigint, name text, admin boolean, password text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT u.tenant_id, u.id, u.name, u.admin, u.password FROM app_user u WHERE u.email = lower(address) AND NOT u.disabled
$$;
ALTER FUNCTION login_find(text) OWNER TO annotate_worker;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO annotate_api, annotate_worker;
GRANT EXECUTE ON FUNCTION login_find(text) TO annotate_api;
GRANT EXECUTE ON FUNCTION event_partitions(int) TO annotate_worker;
GRANT SELECT ON tenant TO annotate_api;
GRANT USAGE ON SEQUENCE api_token_id_seq TO annotate_api;
GRANT SELECT, INSERT, UPDATE ON app_user, api_token, project, project_member, task, assignment, claim_cursor, draft, comment,
    release TO annotate_api;
GRANT SELECT, INSERT ON label_config, asset, pack, label_version, review, event, counter, release_item TO annotate_api;
GRANT USAGE ON SEQUENCE label_version_id_seq TO annotate_api;
GRANT DELETE ON project_member, draft, claim_cursor TO annotate_api;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO annotate_worker;
GRANT INSERT ON event, counter, release_item TO annotate_worker;
GRANT UPDATE ON assignment, release, release_item, claim_cursor, counter TO annotate_worker; -- counter: to lock what it folds
GRANT DELETE ON counter, release_item, claim_cursor TO annotate_worker;
GRANT INSERT, UPDATE ON reader_position TO annotate_worker;
