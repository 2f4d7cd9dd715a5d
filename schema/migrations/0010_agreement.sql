-- Which versions a merge was made of; `parent` is the one that came last (or, of a merge of late work, the label it was joined with).
ALTER TABLE label_version ADD COLUMN merged_from bigint[];

-- Agreement over a whole project (core/reliability.h), kept by upkeep from the events as search and statistics are: of each task with
-- several slots, what each two people said of each control, and the sums of that. When the submissions of a task change, what it had
-- given is taken out of the sums again; all sums are of whole or decimal numbers, so that leaves nothing behind.
CREATE TABLE agreement_stale ( -- tasks whose submissions are to be compared again; stamp: of the newest event that says so
    tenant_id  bigint NOT NULL,
    task_id    bigint NOT NULL,
    stamp      bigint NOT NULL,
    PRIMARY KEY (tenant_id, task_id)
);
CREATE TABLE agreement_pair ( -- what a task gives (core/coding.h)
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    task_id    bigint NOT NULL,
    control    text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    a          bigint NOT NULL,           -- who
    b          bigint NOT NULL,
    raters     smallint NOT NULL,
    units      smallint NOT NULL,         -- 1: the first of the control in the task; else 0
    score      bigint NOT NULL,           -- millionths
    value_a    text COLLATE "C",          -- what each said; NULL: only the score counts
    value_b    text COLLATE "C",
    number_a   float8,                    -- and as a number
    number_b   float8,
    CHECK ((value_a IS NULL) = (value_b IS NULL) AND (number_a IS NULL) = (number_b IS NULL))
);
CREATE INDEX agreement_pair_task ON agreement_pair (tenant_id, task_id);
-- Of everybody, by the number of raters of the unit: user_id 0 with other_id 0 (all together, and the sums of numbers for alpha of
-- interval level) and with other_id -1 (how often two said value_a and value_b, in either order, the lesser first). Else raters is 0:
-- with other_id 0 of one person with all others, else of two, from either's side; value_a is what user_id said. Values '': all together.
CREATE TABLE agreement_sum (
    tenant_id  bigint NOT NULL,
    project_id bigint NOT NULL,
    user_id    bigint NOT NULL,
    other_id   bigint NOT NULL,
    control    text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    raters     smallint NOT NULL,
    value_a    text COLLATE "C" NOT NULL,
    value_b    text COLLATE "C" NOT NULL,
    n          bigint NOT NULL,           -- pairs
    units      bigint NOT NULL,
    score      bigint NOT NULL,
    numbers    bigint NOT NULL,           -- pairs of numbers, and the sums over them of a + b, a² + b², (a - b)²
    sum_v      numeric NOT NULL,
    sum_v2     numeric NOT NULL,
    sum_d2     numeric NOT NULL,
    PRIMARY KEY (tenant_id, project_id, user_id, other_id, control, kind, value_a, value_b, raters)
) WITH (fillfactor = 85);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['agreement_stale', 'agreement_pair', 'agreement_sum'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', t);
    END LOOP;
END $$;
GRANT SELECT ON agreement_sum TO annotate_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON agreement_stale, agreement_pair, agreement_sum TO annotate_worker;

-- What was handed in before is compared, too. The owner reads all tenants for that one statement.
ALTER TABLE task NO FORCE ROW LEVEL SECURITY;
ALTER TABLE agreement_stale NO FORCE ROW LEVEL SECURITY;
INSERT INTO agreement_stale (tenant_id, task_id, stamp)
SELECT tenant_id, id, 0 FROM task WHERE overlap > 1 AND label_seq > 1 AND NOT gold;
ALTER TABLE agreement_stale FORCE ROW LEVEL SECURITY;
ALTER TABLE task FORCE ROW LEVEL SECURITY;
