-- Comments as threads: a reply names the comment that began its thread (never another reply), and a thread is resolved or open as
-- a whole. Who resolved or opened it, and when, stays in comment_change.
ALTER TABLE comment ADD COLUMN parent bigint, ADD COLUMN resolved_by bigint, ADD COLUMN resolved_at timestamptz;
CREATE TABLE comment_change (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    task_id    bigint NOT NULL,
    comment_id bigint NOT NULL,
    resolved   boolean NOT NULL,
    actor      bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, task_id, comment_id, id)
);
ALTER TABLE comment_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE comment_change FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON comment_change USING (tenant_id = current_setting('app.tenant')::bigint)
    WITH CHECK (tenant_id = current_setting('app.tenant')::bigint);
GRANT SELECT, INSERT ON comment_change TO annotate_api;
GRANT SELECT ON comment_change TO annotate_worker;

-- Who had a hand in the label beside those who hold the task's annotate slots, as an older or late version of theirs was taken in:
-- they do not judge it (I3).
ALTER TABLE task ADD COLUMN hands bigint[];

-- What became of work that came too late: adopted, merged into the label, or dismissed. Late work without a row here is open.
CREATE INDEX label_version_late ON label_version (tenant_id, project_id, id) WHERE kind = 'late';
CREATE TABLE late_settled (
    tenant_id bigint NOT NULL,
    label_id  bigint NOT NULL,
    how       text NOT NULL CHECK (how IN ('adopted', 'merged', 'dismissed')),
    result    bigint,                     -- the version that it became; NULL: dismissed
    actor     bigint NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, label_id),
    CHECK ((result IS NULL) = (how = 'dismissed'))
);
ALTER TABLE late_settled ENABLE ROW LEVEL SECURITY;
ALTER TABLE late_settled FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON late_settled USING (tenant_id = current_setting('app.tenant')::bigint)
    WITH CHECK (tenant_id = current_setting('app.tenant')::bigint);
GRANT SELECT, INSERT ON late_settled TO annotate_api;
GRANT SELECT ON late_settled TO annotate_worker;

-- QA's inspections and the defects they found (fixed or sent back), as delta rows that upkeep folds. author 0: each inspection once;
-- else once for each person who wrote the label. What a manager passes in bulk is no inspection.
CREATE TABLE qa_check (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    project_id bigint NOT NULL,
    author     bigint NOT NULL,
    inspected  bigint NOT NULL,
    defective  bigint NOT NULL
);
CREATE INDEX qa_check_author ON qa_check (tenant_id, project_id, author) INCLUDE (inspected, defective);
CREATE INDEX qa_check_id ON qa_check (id);
ALTER TABLE qa_check ENABLE ROW LEVEL SECURITY;
ALTER TABLE qa_check FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON qa_check USING (tenant_id = current_setting('app.tenant')::bigint)
    WITH CHECK (tenant_id = current_setting('app.tenant')::bigint);
GRANT SELECT, INSERT ON qa_check TO annotate_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON qa_check TO annotate_worker;

-- Gold tasks: what the label should be is known and hidden. A gold task stays in annotate for good: each person who is dealt one
-- gets a slot of their own (10 on), is scored when they hand it in, and it never reaches review, QA, a release or the progress.
ALTER TABLE task ADD COLUMN gold boolean NOT NULL DEFAULT false;
ALTER TABLE assignment DROP CONSTRAINT assignment_slot_check;
ALTER TABLE assignment ADD CONSTRAINT assignment_slot_check CHECK (slot BETWEEN 1 AND 9 OR (slot > 9 AND stage = 'annotate'));
CREATE TABLE gold (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    task_id    bigint NOT NULL,
    dealt      int NOT NULL DEFAULT 0,
    expected   text NOT NULL,             -- a canonical label document
    created_by bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, project_id, task_id)
);
-- A person's turns (claims that were granted) in a project with gold tasks. restoring: paused for gold work, and what they handed in
-- is being opened again for others, up to task `after`.
CREATE TABLE gold_person (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    user_id    bigint NOT NULL,
    turns      bigint NOT NULL DEFAULT 0,
    restoring  boolean NOT NULL DEFAULT false,
    after      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, project_id, user_id)
) WITH (fillfactor = 85);
CREATE TABLE gold_score (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    user_id    bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    task_id    bigint NOT NULL,
    label_id   bigint NOT NULL,
    score      float8 NOT NULL CHECK (score BETWEEN 0 AND 1),
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, project_id, user_id, id)
);
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['gold', 'gold_person', 'gold_score'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON gold, gold_person TO annotate_api;
GRANT SELECT, INSERT ON gold_score TO annotate_api;
GRANT SELECT ON gold, gold_person, gold_score TO annotate_worker;

-- A version that is taken in again (adopted late work, a merge, an old version) becomes the head by an action of its own.
ALTER DOMAIN action DROP CONSTRAINT action_check;
ALTER DOMAIN action ADD CONSTRAINT action_check CHECK (VALUE IN (
     'import', 'prelabelled', 'prelabel_failed', 'submit', 'skip', 'accept', 'fix', 'reject', 'pass',
     'fail', 'reopen', 'archive', 'restore', 'claim', 'expire', 'release', 'late', 'assign',
     'unassign', 'prioritize', 'adopt', 'publish')) NOT VALID; -- 'publish' is of a release
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
            'archived prioritize archived'
        )
        -- workflow end
    ) NOT VALID;
ALTER TABLE event VALIDATE CONSTRAINT event_workflow;
