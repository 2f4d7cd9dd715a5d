-- Erasure of a task's or a person's content on request (docs/storage.md). What happened, when, and by whose number stays, and so do the
-- hashes of what was said; what was said goes. A request makes an order in the transaction that takes the task or the person out of
-- use; upkeep carries it out in bounded steps, and goes on where it was.
CREATE TABLE erasure (
    tenant_id   bigint NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    project_id  bigint,                    -- of the task
    task_id     bigint,                    -- the one,
    user_id     bigint,                    -- or the other
    reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    dry_run     boolean NOT NULL DEFAULT false, -- only counts
    labels      boolean NOT NULL DEFAULT false, -- of a person: the labels that they handed in, too
    force       boolean NOT NULL DEFAULT false, -- also what a protected release holds
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done')),
    step        text NOT NULL DEFAULT 'rows'
        CHECK (step IN ('rows', 'labels', 'packs', 'media', 'objects', 'copies', 'settle', 'end')),
    place       text NOT NULL DEFAULT '',  -- how far a step that walks has come
    leader      bigint,                    -- whose walk serves this order, too
    due_at      timestamptz NOT NULL DEFAULT now(),
    labels_n    bigint NOT NULL DEFAULT 0, -- how many: label versions,
    kept_n      bigint NOT NULL DEFAULT 0, -- those left because a protected release holds them,
    drafts_n    bigint NOT NULL DEFAULT 0,
    comments_n  bigint NOT NULL DEFAULT 0,
    events_n    bigint NOT NULL DEFAULT 0, -- that had a text of somebody's
    leases_n    bigint NOT NULL DEFAULT 0,
    exports_n   bigint NOT NULL DEFAULT 0, -- made ones, that held some of it
    media_n     bigint NOT NULL DEFAULT 0,
    created_by  bigint NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK (task_id IS NULL OR user_id IS NULL),
    CHECK ((state = 'done') = (ended_at IS NOT NULL))
);
CREATE INDEX erasure_due ON erasure (due_at) WHERE state <> 'done';
CREATE INDEX erasure_user ON erasure (tenant_id, user_id) WHERE user_id IS NOT NULL;

-- Where erased documents lay, until their bytes are gone. The row goes after the bytes, so that whatever stops it, nothing is forgotten.
CREATE TABLE erasure_place (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    erasure_id bigint NOT NULL,
    pack       uuid NOT NULL,
    pack_off   bigint NOT NULL,
    bytes      int NOT NULL,
    PRIMARY KEY (tenant_id, erasure_id, pack, id)
);

-- Media that an erased task named. found: another task names them, so they stay; taken: their row is gone; gone: so are they.
CREATE TABLE erasure_media (
    tenant_id  bigint NOT NULL,
    erasure_id bigint NOT NULL,
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    state      text NOT NULL DEFAULT 'named' CHECK (state IN ('named', 'found', 'taken', 'gone')),
    PRIMARY KEY (tenant_id, erasure_id, sha256)
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['erasure', 'erasure_place', 'erasure_media'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', t);
    END LOOP;
END $$;

ALTER TABLE task ADD COLUMN erasure bigint;     -- the order that took its content
ALTER TABLE app_user ADD COLUMN erasure bigint;

-- An erased version has no place: its pack is the nil UUID. What lies in dead packs and in packs that no row names is known by its hash.
CREATE INDEX label_version_erased ON label_version (tenant_id, sha256) WHERE pack = '00000000-0000-0000-0000-000000000000';
-- What a person wrote.
CREATE INDEX comment_author ON comment (tenant_id, author);

-- Work that comes too late is kept, whatever became of its task. If that was erased, its order goes on.
CREATE FUNCTION erasure_again() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE erasure e SET state = 'running', step = 'rows', place = '', leader = NULL, due_at = now(), ended_at = NULL
    FROM task t WHERE t.tenant_id = NEW.tenant_id AND t.id = NEW.task_id AND e.tenant_id = t.tenant_id AND e.id = t.erasure;
    RETURN NULL;
END $$;
CREATE TRIGGER erasure_again AFTER INSERT ON label_version FOR EACH ROW WHEN (NEW.kind = 'late') EXECUTE FUNCTION erasure_again();

-- What an event says beyond its columns, without what somebody typed: numbers, truths and our own words stay. NULL: nothing to take.
CREATE FUNCTION detail_erased(detail json) RETURNS json LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN bool_or(NOT keep) THEN (coalesce(jsonb_object_agg(key, value) FILTER (WHERE keep), '{}') || '{"erased":true}')::json END
    FROM (SELECT key, value, jsonb_typeof(value) IN ('number', 'boolean', 'null') OR key IN ('how', 'type') AS keep
          FROM jsonb_each(CASE json_typeof(detail) WHEN 'object' THEN detail::jsonb ELSE jsonb_build_object('text', detail) END)) d
$$;
-- The one change of an event that there is, for no more than this: at most so many of a task's. With the owner's rights, as the
-- workers' role changes none. Answers how many.
CREATE FUNCTION erase_details(tenant bigint, task bigint, most int, look boolean) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM set_config('app.tenant', tenant::text, true);
    IF look THEN
        RETURN (SELECT count(*) FROM event e WHERE e.tenant_id = tenant AND e.task_id = task AND e.detail IS NOT NULL
                    AND e.action <> 'erase' AND detail_erased(e.detail) IS NOT NULL);
    END IF;
    UPDATE event e SET detail = d.detail
    FROM (SELECT e.seq, e.at, detail_erased(e.detail) AS detail FROM event e
          WHERE e.tenant_id = tenant AND e.task_id = task AND e.detail IS NOT NULL AND e.action <> 'erase'
              AND detail_erased(e.detail) IS NOT NULL
          ORDER BY e.seq LIMIT most) d
    WHERE e.tenant_id = tenant AND e.task_id = task AND e.seq = d.seq AND e.at = d.at;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

CREATE FUNCTION erasure_json(e erasure) RETURNS json LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT json_build_object('id', e.id, 'what', CASE WHEN e.task_id IS NULL THEN 'person' ELSE 'task' END, 'project', e.project_id,
        'task', e.task_id, 'user', e.user_id, 'reason', e.reason, 'dry_run', e.dry_run, 'labels', e.labels, 'force', e.force,
        'state', e.state, 'step', e.step,
        'counts', json_build_object('labels', e.labels_n, 'labels_kept', e.kept_n, 'drafts', e.drafts_n, 'comments', e.comments_n,
            'events', e.events_n, 'leases', e.leases_n, 'exports', e.exports_n, 'media', e.media_n),
        'created_by', e.created_by, 'created_at', e.created_at, 'ended_at', e.ended_at)
$$;

REVOKE ALL ON FUNCTION erasure_again(), detail_erased(json), erase_details(bigint, bigint, int, boolean), erasure_json(erasure) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_details(bigint, bigint, int, boolean) TO annotate_worker;
GRANT EXECUTE ON FUNCTION erasure_json(erasure) TO annotate_api;
GRANT SELECT, INSERT ON erasure, erasure_media TO annotate_api;
GRANT UPDATE (state, step, place, leader, due_at, ended_at) ON erasure TO annotate_api;
GRANT SELECT, UPDATE ON erasure TO annotate_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON erasure_place, erasure_media TO annotate_worker;
-- What content lies in; of what happened the worker changes nothing.
GRANT UPDATE (text, region) ON comment TO annotate_worker;
GRANT DELETE ON draft, gold, asset TO annotate_worker;
GRANT INSERT ON late_settled TO annotate_worker;

ALTER DOMAIN action DROP CONSTRAINT action_check;
ALTER DOMAIN action ADD CONSTRAINT action_check CHECK (VALUE IN (
     'import', 'prelabelled', 'prelabel_failed', 'submit', 'skip', 'accept', 'fix', 'reject', 'pass',
     'fail', 'reopen', 'archive', 'restore', 'claim', 'expire', 'release', 'late', 'assign',
     'unassign', 'prioritize', 'adopt', 'erase', 'erase_label', 'publish')) NOT VALID; -- 'publish' is of a release
ALTER DOMAIN action VALIDATE CONSTRAINT action_check;
ALTER TABLE event DROP CONSTRAINT event_workflow;
ALTER TABLE event ADD CONSTRAINT event_workflow CHECK (task_id IS NULL OR
        -- workflow begin (core/workflow.def; a test compares the newest migration that has this block)
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
            'review adopt review',
            'qa adopt review',
            'done adopt review',
            'skipped adopt review',
            'prelabel erase archived',
            'annotate erase archived',
            'review erase archived',
            'qa erase archived',
            'done erase archived',
            'skipped erase archived',
            'archived erase archived',
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
            'archived late archived',
            'prelabel assign prelabel',
            'annotate assign annotate',
            'review assign review',
            'qa assign qa',
            'prelabel unassign prelabel',
            'annotate unassign annotate',
            'review unassign review',
            'qa unassign qa',
            'prelabel prioritize prelabel',
            'annotate prioritize annotate',
            'review prioritize review',
            'qa prioritize qa',
            'done prioritize done',
            'skipped prioritize skipped',
            'archived prioritize archived',
            'prelabel erase_label prelabel',
            'annotate erase_label annotate',
            'review erase_label review',
            'qa erase_label qa',
            'done erase_label done',
            'skipped erase_label skipped',
            'archived erase_label archived'
        )
        -- workflow end
    ) NOT VALID;
ALTER TABLE event VALIDATE CONSTRAINT event_workflow;
