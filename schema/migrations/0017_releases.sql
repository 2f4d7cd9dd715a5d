-- Releases by a filter, in grouped splits, with a data card, protected; and exports of them into blob storage.

ALTER TABLE release
    ADD COLUMN filter      json,  -- which tasks (core/filter.h), as it was given; NULL: what is done
    ADD COLUMN group_by    text,  -- a data path: tasks with one value there share a split
    ADD COLUMN pin_by      text,  -- a data path: a value there that names a split decides
    ADD COLUMN description text NOT NULL DEFAULT '' CHECK (length(description) <= 10000),
    ADD COLUMN licence     text NOT NULL DEFAULT '' CHECK (length(licence) <= 200),
    ADD COLUMN protected   boolean NOT NULL DEFAULT true,
    ADD COLUMN warnings    json NOT NULL DEFAULT '[]',
    ADD COLUMN card        json,  -- set when it is ready
    ADD COLUMN card_people json;  -- [{"user","items"}]: the card's part that only managers see

-- deleting: nobody sees it any more, annotate-export takes its items away.
ALTER TABLE release DROP CONSTRAINT release_state_check, DROP CONSTRAINT release_check;
ALTER TABLE release ADD CONSTRAINT release_state_check CHECK (state IN ('building', 'ready', 'failed', 'deleting'));
ALTER TABLE release ADD CONSTRAINT release_state_root CHECK (CASE state WHEN 'ready' THEN root IS NOT NULL WHEN 'deleting' THEN true ELSE root IS NULL END);
CREATE INDEX release_deleting ON release (id) WHERE state = 'deleting';

-- Which releases hold a label version. What a release holds is never collected: whoever removes label documents asks here.
CREATE INDEX release_item_label ON release_item (tenant_id, label_id, release_id);

-- A ready release never changes, but for its protection. It ends when it is deleted, which its protection forbids, or with its
-- tenant (tenant_delete_rows).
CREATE OR REPLACE FUNCTION release_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other release;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state = 'ready' AND current_setting('app.ending', true) IS DISTINCT FROM OLD.tenant_id::text THEN
            RAISE EXCEPTION 'release % is ready and cannot change', OLD.id USING ERRCODE = '23514';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state = 'ready' THEN
        other := NEW;
        other.protected := OLD.protected;
        IF NEW.state = 'deleting' AND NOT OLD.protected THEN
            other.state := OLD.state;
            other.name := OLD.name; -- free for another
        END IF;
        IF other::text IS DISTINCT FROM OLD::text THEN
            RAISE EXCEPTION 'release % is ready and cannot change', OLD.id USING ERRCODE = '23514';
        END IF;
    END IF;
    RETURN NEW;
END $$;

-- An export of a release into blob storage, made by annotate-export. The bytes follow from the release and the options alone, so one
-- job serves everybody who asks for the same.
CREATE TABLE export_job (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    release_id bigint NOT NULL,
    format     text NOT NULL,
    container  text NOT NULL,
    media      boolean NOT NULL,
    labelled   boolean NOT NULL,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'expired')),
    done       bigint NOT NULL DEFAULT 0,  -- items written so far
    attempts   int NOT NULL DEFAULT 0,
    bytes      bigint,
    sha256     bytea CHECK (length(sha256) = 32),
    error      text,
    created_by bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    expires_at timestamptz,                -- of a done one: its bytes are removed then
    lease_until timestamptz,               -- of a running one: whoever finds it passed starts anew
    PRIMARY KEY (tenant_id, id),
    CHECK ((state = 'done') = (expires_at IS NOT NULL))
);
CREATE UNIQUE INDEX export_job_same ON export_job (tenant_id, release_id, format, container, media, labelled)
    WHERE state IN ('waiting', 'running', 'done');
CREATE INDEX export_job_release ON export_job (tenant_id, release_id, id);
CREATE INDEX export_job_work ON export_job (id) WHERE state IN ('waiting', 'running');
CREATE INDEX export_job_expiry ON export_job (expires_at) WHERE state = 'done';

ALTER TABLE export_job ENABLE ROW LEVEL SECURITY;
ALTER TABLE export_job FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON export_job USING (tenant_id = current_setting('app.tenant')::bigint)
    WITH CHECK (tenant_id = current_setting('app.tenant')::bigint);

GRANT EXECUTE ON FUNCTION release_key(smallint, text, bigint) TO annotate_api;
GRANT DELETE ON release TO annotate_worker;
GRANT SELECT, INSERT, UPDATE ON export_job TO annotate_api;
GRANT SELECT, UPDATE, DELETE ON export_job TO annotate_worker;
