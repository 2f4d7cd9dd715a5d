-- Keeps the scores of gold work, in the transaction that takes it in, and the answers to requests that carry a key ($7-$9): they say what
-- they would say of any task. The work itself is not progress. Whose last 20 (5 at least) are
-- on average under the floor ($6; 0: none) gets no more work of the project, and what they handed in goes to others (gold_restore).
-- users: server
WITH fresh AS MATERIALIZED (
    SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::float8[], $7::text[], $8::bytea[], $9::text[])
        AS f(user_id, task_id, label_id, score, key, request, answer)
),
kept AS (
    INSERT INTO gold_score (tenant_id, project_id, user_id, task_id, label_id, score)
    SELECT current_setting('app.tenant')::bigint, $1::bigint, user_id, task_id, label_id, score FROM fresh
),
answered AS (
    INSERT INTO idempotency_key (tenant_id, user_id, key, request, status, answer)
    SELECT current_setting('app.tenant')::bigint, user_id, key, request, 200, answer FROM fresh WHERE key IS NOT NULL
),
uncounted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT current_setting('app.tenant')::bigint, $1, n.name, -(SELECT count(*) FROM fresh)
    FROM (VALUES ('action.submit'), ('label.submission')) AS n(name)
),
standing AS MATERIALIZED (
    SELECT u.user_id, avg(r.score) AS accuracy, count(*) AS n
    FROM (SELECT DISTINCT user_id FROM fresh) u CROSS JOIN LATERAL (
        SELECT x.score
        FROM (SELECT f.score, 9223372036854775807 AS id FROM fresh f WHERE f.user_id = u.user_id
              UNION ALL
              (SELECT s.score, s.id FROM gold_score s WHERE s.project_id = $1 AND s.user_id = u.user_id ORDER BY s.id DESC LIMIT 20)) x
        ORDER BY x.id DESC LIMIT 20) r
    GROUP BY u.user_id
),
paused AS (
    UPDATE project_member m SET paused = true
    FROM standing s
    WHERE m.project_id = $1 AND m.user_id = s.user_id AND NOT m.paused AND s.n >= 5 AND s.accuracy < $6::float8
    RETURNING m.tenant_id, m.project_id, m.user_id
)
INSERT INTO gold_person (tenant_id, project_id, user_id, restoring)
SELECT tenant_id, project_id, user_id, true FROM paused
ON CONFLICT (tenant_id, project_id, user_id) DO UPDATE SET restoring = true, after = 0
