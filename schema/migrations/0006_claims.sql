-- Who gets which work: skills, caps, pauses, and what managers do to the queue.

-- Tags that a claimer must hold; NULL: none. On the task, and on each of its assignments but pre-labels, where claims read it.
ALTER TABLE task ADD COLUMN skills text[];
ALTER TABLE assignment ADD COLUMN skills text[];
ALTER TABLE project_member
    ADD COLUMN skills text[] NOT NULL DEFAULT '{}',
    ADD COLUMN paused boolean NOT NULL DEFAULT false,  -- gets no more work, keeps what is leased
    ADD COLUMN max_leases int CHECK (max_leases BETWEEN 1 AND 256); -- NULL: the project's

-- What managers do to the queue is in the history.
ALTER DOMAIN action DROP CONSTRAINT action_check;
ALTER DOMAIN action ADD CONSTRAINT action_check CHECK (VALUE IN
    ('import', 'prelabelled', 'prelabel_failed', 'submit', 'skip', 'accept', 'fix', 'reject', 'pass', 'fail',
     'reopen', 'archive', 'restore', 'claim', 'expire', 'release', 'late', 'assign', 'unassign', 'prioritize',
     'publish')) NOT VALID; -- of a release, not of a task
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
