-- Which of the media of the orders that $2 leads are named by other tasks: the next $4 tasks behind task $3. Answers the last of them;
-- NULL: that was all.
-- users: upkeep
WITH page AS MATERIALIZED (
    SELECT k.id, concat(k.data, ' ', k.meta) AS text FROM task k WHERE k.tenant_id = $1::bigint AND k.id > $3::bigint ORDER BY k.id LIMIT $4::int
),
used AS MATERIALIZED (
    SELECT DISTINCT p.id, decode(m.part[1], 'hex') AS sha256
    FROM page p CROSS JOIN LATERAL regexp_matches(p.text, '/v1/assets/([0-9a-f]{64})', 'g') AS m(part)
    WHERE strpos(p.text, '/v1/assets/') > 0
),
found AS (
    UPDATE erasure_media m SET state = 'found'
    FROM erasure e CROSS JOIN used u
    WHERE e.tenant_id = $1 AND e.leader = $2::bigint AND e.state <> 'done' AND u.id <> e.task_id
      AND m.tenant_id = $1 AND m.erasure_id = e.id AND m.sha256 = u.sha256 AND m.state = 'named'
)
SELECT CASE WHEN count(*) = $4 THEN max(id) END FROM page
