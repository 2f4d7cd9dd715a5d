-- Adds a comment ($5 null) or a reply to the thread that comment $5 belongs to. Who may write only on their own work ($6) must hold
-- an assignment of the task or have made a version of its label. Work that nobody has held yet gets a higher version, as only a
-- claim of version 2 on looks for comments. One row: may, is the thread there, is it resolved, and the comment.
-- users: server
WITH place AS MATERIALIZED (
    SELECT t.tenant_id, t.id, p.id AS named, coalesce(p.parent, p.id) AS root, coalesce(p.resolved, false) AS resolved, p.region,
           NOT $6::bool OR EXISTS (SELECT FROM assignment a WHERE a.task_id = t.id AND a.holder = $2::bigint)
               OR EXISTS (SELECT FROM label_version l WHERE l.task_id = t.id AND l.author = $2) AS may
    FROM task t LEFT JOIN comment p ON p.task_id = t.id AND p.id = $5::bigint
    WHERE t.id = $1::bigint
),
added AS (
    INSERT INTO comment (tenant_id, task_id, author, region, text, parent)
    SELECT tenant_id, id, $2, coalesce($3::text, region), $4::text, root FROM place
    WHERE may AND NOT resolved AND ($5 IS NULL OR root IS NOT NULL)
    RETURNING task_id, id, author, region, text, parent, created_at
),
noticed AS (
    UPDATE assignment a SET version = a.version + 1
    FROM added c WHERE a.task_id = c.task_id AND a.state = 'open' AND a.version = 0
)
SELECT p.may, $5 IS NULL OR p.root IS NOT NULL, p.resolved, c.id, c.parent, c.author, c.region, c.text, false, NULL, NULL,
       to_json(c.created_at)
FROM place p LEFT JOIN added c ON true
