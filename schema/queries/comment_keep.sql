-- Keeps what a verdict that came too late said of task $1; sent again it is there once. Like comment_add.
-- users: server
WITH said AS MATERIALIZED (
    SELECT t.tenant_id, t.id, c.region, c.text, c.ord
    FROM task t CROSS JOIN unnest($3::text[], $4::text[]) WITH ORDINALITY AS c(region, text, ord)
    WHERE t.id = $1::bigint AND NOT EXISTS (
        SELECT FROM comment k WHERE k.task_id = t.id AND k.author = $2::bigint AND k.text = c.text AND k.region IS NOT DISTINCT FROM c.region)
),
added AS (
    INSERT INTO comment (tenant_id, task_id, author, region, text)
    SELECT tenant_id, id, $2, region, text FROM said ORDER BY ord
    RETURNING task_id
)
UPDATE assignment a SET version = a.version + 1
FROM (SELECT DISTINCT task_id FROM added) c WHERE a.task_id = c.task_id AND a.state = 'open' AND a.version = 0
