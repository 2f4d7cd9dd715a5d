-- Resolves a thread ($4), or opens it again, with all its replies, and writes down who did it. One row: may ($5: only on their own
-- work), is there such a comment, is it a reply, and the comment as it is now.
-- users: server
WITH place AS MATERIALIZED (
    SELECT c.tenant_id, c.task_id, c.id, c.parent, c.resolved,
           NOT $5::bool OR EXISTS (SELECT FROM assignment a WHERE a.task_id = c.task_id AND a.holder = $3::bigint)
               OR EXISTS (SELECT FROM label_version l WHERE l.task_id = c.task_id AND l.author = $3) AS may
    FROM comment c WHERE c.task_id = $1::bigint AND c.id = $2::bigint FOR UPDATE
),
change AS MATERIALIZED (
    SELECT * FROM place WHERE may AND parent IS NULL AND resolved <> $4::bool
),
changed AS (
    UPDATE comment c SET resolved = $4, resolved_by = CASE WHEN $4 THEN $3 END, resolved_at = CASE WHEN $4 THEN now() END
    FROM change p WHERE c.task_id = p.task_id AND (c.id = p.id OR c.parent = p.id)
),
logged AS (
    INSERT INTO comment_change (tenant_id, task_id, comment_id, resolved, actor)
    SELECT tenant_id, task_id, id, $4, $3 FROM change
)
SELECT p.may, p.parent IS NOT NULL, c.id, c.parent, c.author, c.region, c.text, $4,
       CASE WHEN $4 THEN CASE WHEN h.id IS NULL THEN c.resolved_by ELSE $3 END END,
       to_json(CASE WHEN $4 THEN CASE WHEN h.id IS NULL THEN c.resolved_at ELSE now() END END), to_json(c.created_at)
FROM place p JOIN comment c ON c.task_id = p.task_id AND c.id = p.id LEFT JOIN change h ON true
