-- Imports, running and finished: what GET /v1/projects/{id}/imports shows. Each chunk of tasks counts itself here in its own
-- transaction, so that the row says exactly what is in, however the import ended. An import that died with its server stays in
-- its last state; updated_at tells.
CREATE TABLE import (
    tenant_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    project_id bigint NOT NULL,
    created_by bigint NOT NULL,
    errors     text NOT NULL CHECK (errors IN ('refuse', 'stop', 'skip')),
    state      text NOT NULL DEFAULT 'running' CHECK (state IN ('checking', 'running', 'done', 'failed')),
    seen       bigint NOT NULL DEFAULT 0,       -- items read
    created    bigint NOT NULL DEFAULT 0,
    skipped    bigint NOT NULL DEFAULT 0,       -- external_id known already
    failed     bigint NOT NULL DEFAULT 0,       -- items that were refused
    labels     bigint NOT NULL DEFAULT 0,       -- label versions stored
    bytes      bigint NOT NULL DEFAULT 0,       -- of the body, read
    error      text,                            -- the first one
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 50);
CREATE INDEX import_list ON import (tenant_id, project_id, id);
ALTER TABLE import ENABLE ROW LEVEL SECURITY;
ALTER TABLE import FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON import USING (tenant_id = current_setting('app.tenant')::bigint)
    WITH CHECK (tenant_id = current_setting('app.tenant')::bigint);
GRANT SELECT, INSERT, UPDATE ON import TO annotate_api;
GRANT SELECT ON import TO annotate_worker;
-- An import draws the ids of a chunk's tasks ahead, as their labels name them in the same statement.
GRANT USAGE ON SEQUENCE task_id_seq TO annotate_api;
