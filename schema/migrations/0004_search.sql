-- Search and statistics: side tables that upkeep keeps from the stream of events (queries/digest_take.sql), so that the hot statements
-- write nothing more and a request counts nothing. They stand as of reader_position 'digest', usually less than a second ago.

-- The data paths that a project's manager wants to search by. building: existing tasks are still being read, up to `after`.
CREATE TABLE search_field (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    path       text COLLATE "C" NOT NULL CHECK (path ~ '^data(\.[A-Za-z0-9_][A-Za-z0-9_-]*){1,8}$' AND length(path) <= 200),
    slot       smallint NOT NULL CHECK (slot BETWEEN 1 AND 8),  -- how many a project may have
    state      text NOT NULL DEFAULT 'building' CHECK (state IN ('building', 'ready', 'dropping')),
    after      bigint NOT NULL DEFAULT 0,
    created_by bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, project_id, path),
    UNIQUE (tenant_id, project_id, slot)
);
CREATE INDEX search_field_work ON search_field (state) WHERE state <> 'ready';

-- What a task can be found by beside its own columns: declared data paths, the values of its head label (`label`), `score`,
-- `agreement`. A value is text or a number.
CREATE TABLE task_field (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    task_id    bigint NOT NULL,
    field      text COLLATE "C" NOT NULL,
    text       text COLLATE "C" CHECK (octet_length(text) <= 1000),
    number     float8,
    CHECK ((text IS NULL) <> (number IS NULL))
);
CREATE UNIQUE INDEX task_field_text ON task_field (tenant_id, project_id, field, text, task_id) WHERE text IS NOT NULL;
CREATE INDEX task_field_number ON task_field (tenant_id, project_id, field, number, task_id) WHERE number IS NOT NULL;
CREATE UNIQUE INDEX task_field_one ON task_field (tenant_id, task_id, field) WHERE number IS NOT NULL;
CREATE INDEX task_field_task ON task_field (tenant_id, task_id, field);

-- Tasks whose head label's values are to be read again; stamp: of the newest event that says so.
CREATE TABLE label_stale (
    tenant_id  bigint NOT NULL,
    task_id    bigint NOT NULL,
    stamp      bigint NOT NULL,
    PRIMARY KEY (tenant_id, task_id)
);

-- Since when a task has been in its state.
CREATE TABLE task_since (
    tenant_id  bigint NOT NULL,
    task_id    bigint NOT NULL,
    project_id bigint NOT NULL,
    version    bigint NOT NULL,
    since      timestamptz NOT NULL,
    state      task_state NOT NULL,
    PRIMARY KEY (tenant_id, task_id)
) WITH (fillfactor = 85);
CREATE INDEX task_since_queue ON task_since (tenant_id, project_id, state, since, task_id)
    WHERE state IN ('prelabel', 'annotate', 'review', 'qa');

-- Sums over events. user_id 0: of everybody; day -infinity: of all days. bucket 0: no time is known; b > 0: the time lies in
-- (0.1 s * 2^((b-2)/4), 0.1 s * 2^((b-1)/4)], bucket 1 below. So a quantile is known to 19 %, and counts and sums exactly.
CREATE TABLE stat (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    user_id    bigint NOT NULL,
    day        date NOT NULL,
    stage      stage NOT NULL,
    action     text NOT NULL,
    bucket     smallint NOT NULL,
    n          bigint NOT NULL,
    lead_ms    bigint NOT NULL,
    PRIMARY KEY (tenant_id, project_id, user_id, day, stage, action, bucket)
) WITH (fillfactor = 85);

-- The value at a declared path: a string or a boolean as text, a number as a number; anything else, or a long text, is not found.
CREATE FUNCTION field_value(data json, path text, OUT text text, OUT number float8) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    value json := data #> (string_to_array(path, '.'))[2:];
BEGIN
    IF json_typeof(value) IN ('string', 'boolean') THEN
        text := value #>> '{}';
        IF octet_length(text) > 1000 THEN
            text := NULL;
        END IF;
    ELSIF json_typeof(value) = 'number' THEN
        number := value #>> '{}';
    END IF;
EXCEPTION WHEN numeric_value_out_of_range OR untranslatable_character THEN
    number := NULL;
END $$;

-- The bucket of a time in milliseconds; NULL: no time.
CREATE FUNCTION lead_bucket(ms bigint) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN ms IS NULL THEN 0 ELSE greatest(1, 1 + ceil(4 * ln(greatest(ms, 1) / 100.0::float8) / ln(2::float8))) END::smallint
$$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['search_field', 'task_field', 'label_stale', 'task_since', 'stat'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', t);
    END LOOP;
END $$;

-- Nothing is digested yet: from the first event on.
INSERT INTO reader_position (name, position, at) VALUES ('digest', '{"prev":"1:1:"}', '-infinity');

REVOKE ALL ON FUNCTION field_value(json, text), lead_bucket(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION field_value(json, text), lead_bucket(bigint) TO annotate_worker;
GRANT SELECT, INSERT, UPDATE ON search_field TO annotate_api;
GRANT SELECT ON task_field, task_since, stat, reader_position TO annotate_api;
GRANT SELECT, UPDATE, DELETE ON search_field TO annotate_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON task_field, label_stale, task_since, stat TO annotate_worker;
