-- The queue as a claim walks it (docs/design.md §6): what came into it behind a person's cursor is found without walking all of it
-- again, and a cap of live leases holds for simultaneous claims.

-- The transaction that put the row into the queue, or made it anybody's again; what an import appends needs none (NULL). Ordered, so
-- that "what came since this snapshot" is a range.
ALTER TABLE assignment ADD COLUMN opened xid8;
ALTER TABLE assignment ALTER COLUMN opened SET DEFAULT pg_current_xact_id(); -- apart: no row is written anew
CREATE INDEX assignment_opened ON assignment (tenant_id, project_id, stage, opened, rank, id)
    WHERE state = 'open' AND reserved_for IS NULL AND opened IS NOT NULL;

CREATE FUNCTION assignment_reopened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.opened := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE TRIGGER assignment_reopened BEFORE UPDATE OF state, reserved_for, rank, excluded, skills ON assignment FOR EACH ROW
    WHEN (NEW.state = 'open' AND NEW.reserved_for IS NULL
          AND (OLD.state <> 'open' OR OLD.reserved_for IS NOT NULL OR NEW.rank <> OLD.rank
               OR NEW.excluded <> OLD.excluded OR NEW.skills IS DISTINCT FROM OLD.skills))
    EXECUTE FUNCTION assignment_reopened();

-- Who lets go of one slot of a task may have another one of it: those count as opened, too. Only rows that nobody changes are met, so
-- nothing waits for another transaction's slots.
CREATE FUNCTION assignment_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE assignment a SET opened = pg_current_xact_id()
    FROM (SELECT o.tenant_id, o.id FROM assignment o
          WHERE o.tenant_id = OLD.tenant_id AND o.task_id = OLD.task_id AND o.stage = 'annotate' AND o.id <> OLD.id
            AND o.state = 'open' AND o.reserved_for IS NULL
          FOR UPDATE SKIP LOCKED) o
    WHERE a.tenant_id = o.tenant_id AND a.id = o.id;
    RETURN NULL;
END $$;
CREATE TRIGGER assignment_left AFTER UPDATE OF state, holder ON assignment FOR EACH ROW
    WHEN (OLD.stage = 'annotate' AND OLD.state IN ('leased', 'submitted', 'skipped') AND NEW.state IN ('open', 'cancelled'))
    EXECUTE FUNCTION assignment_left();

-- Where a person's walk stands. Before (rank, id) nothing is for them: the lap began at the head of the queue (whole) or at their own
-- newest work, and what was opened since the transactions before (seen, seen_rank, seen_id) has not been looked at yet.
TRUNCATE claim_cursor;
ALTER TABLE claim_cursor
    ADD COLUMN seen_rank int NOT NULL,
    ADD COLUMN seen_id bigint NOT NULL,
    ADD COLUMN seen xid8 NOT NULL,
    ADD COLUMN begun timestamptz NOT NULL DEFAULT now(),  -- the lap
    ADD COLUMN saved timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN whole boolean NOT NULL,
    ADD COLUMN ended boolean NOT NULL,                    -- the lap came to the end of the queue
    ADD COLUMN skills text[] NOT NULL;                    -- that the person had: with others all is looked at anew
ALTER TABLE claim_cursor SET (fillfactor = 50);

-- Live leases of a person in a stage, exact until the transaction ends: whoever asks next for the same waits for it. A function, as a
-- statement counts by the snapshot it began with, and this one has to count after the wait.
CREATE FUNCTION leases_held(project bigint, of stage, person bigint) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(' ', project, of, person), 7));
    RETURN (SELECT count(*) FROM (
        SELECT FROM assignment a
        WHERE a.tenant_id = current_setting('app.tenant')::bigint AND a.project_id = project AND a.stage = of AND a.holder = person
          AND a.state = 'leased' AND a.lease_expires_at > now() LIMIT 256) l);
END $$;
REVOKE ALL ON FUNCTION assignment_reopened(), assignment_left(), leases_held(bigint, stage, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION leases_held(bigint, stage, bigint) TO annotate_api;
