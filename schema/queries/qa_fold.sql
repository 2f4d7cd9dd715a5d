-- Folds old rows of qa_check into one an author; the sums stay exact, as both happen in one transaction.
-- users: upkeep
WITH old AS MATERIALIZED (
    SELECT ctid AS at FROM qa_check WHERE id <= (SELECT max(id) - $1::bigint FROM qa_check) ORDER BY id LIMIT 50000
    FOR UPDATE SKIP LOCKED
),
dropped AS (
    DELETE FROM qa_check c USING old o WHERE c.ctid = o.at
    RETURNING c.tenant_id, c.project_id, c.author, c.inspected, c.defective
)
INSERT INTO qa_check (tenant_id, project_id, author, inspected, defective)
SELECT tenant_id, project_id, author, sum(inspected), sum(defective) FROM dropped GROUP BY tenant_id, project_id, author
RETURNING id
