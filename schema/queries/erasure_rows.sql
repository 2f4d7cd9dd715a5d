-- Takes what lies in rows: drafts, texts of comments and events, values that tasks are found by, gold answers; of a person the leases,
-- too, which end, and kept answers. At most $3 comments and events; answers whether there may be more. A dry run counts them.
-- users: upkeep
WITH o AS MATERIALIZED (
    SELECT * FROM erasure WHERE tenant_id = $1::bigint AND id = $2::bigint
),
drafts AS MATERIALIZED (
    SELECT d.tenant_id, d.assignment_id, d.user_id FROM o
    JOIN assignment a ON a.tenant_id = $1 AND a.task_id = o.task_id
    JOIN draft d ON d.tenant_id = $1 AND d.assignment_id = a.id
    UNION ALL
    SELECT d.tenant_id, d.assignment_id, d.user_id FROM o JOIN draft d ON d.tenant_id = $1 AND d.user_id = o.user_id
),
drafts_gone AS (
    DELETE FROM draft d USING drafts k, o
    WHERE NOT o.dry_run AND d.tenant_id = $1 AND d.assignment_id = k.assignment_id AND d.user_id = k.user_id
),
comments AS MATERIALIZED (
    SELECT * FROM (
        SELECT c.task_id, c.id FROM o JOIN comment c ON c.tenant_id = $1 AND c.task_id = o.task_id WHERE c.text <> 'erased' OR c.region IS NOT NULL
        UNION ALL
        SELECT c.task_id, c.id FROM o JOIN comment c ON c.tenant_id = $1 AND c.author = o.user_id WHERE c.text <> 'erased' OR c.region IS NOT NULL) c
    LIMIT (SELECT CASE WHEN dry_run THEN NULL ELSE $3::int END FROM o)
),
comments_gone AS (
    UPDATE comment c SET text = 'erased', region = NULL FROM comments k, o
    WHERE NOT o.dry_run AND c.tenant_id = $1 AND c.task_id = k.task_id AND c.id = k.id
),
events AS MATERIALIZED (
    SELECT erase_details($1, o.task_id, $3, o.dry_run) AS n FROM o WHERE o.task_id IS NOT NULL
),
leases AS MATERIALIZED (
    SELECT a.id FROM o
    JOIN project p ON p.tenant_id = $1
    CROSS JOIN unnest(ARRAY['prelabel', 'annotate', 'review', 'qa']) AS s(stage)
    JOIN assignment a ON a.tenant_id = $1 AND a.project_id = p.id AND a.stage = s.stage AND a.holder = o.user_id AND a.state = 'leased'
    WHERE a.lease_expires_at > now()
),
leases_end AS ( -- lease_expire opens the work again
    UPDATE assignment a SET lease_expires_at = now() FROM leases k, o
    WHERE NOT o.dry_run AND a.tenant_id = $1 AND a.id = k.id AND a.state = 'leased'
),
reserved AS MATERIALIZED (
    SELECT a.id FROM o
    JOIN project p ON p.tenant_id = $1
    CROSS JOIN unnest(ARRAY['prelabel', 'annotate', 'review', 'qa']) AS s(stage)
    JOIN assignment a ON a.tenant_id = $1 AND a.project_id = p.id AND a.stage = s.stage AND a.reserved_for = o.user_id AND a.state = 'open'
    WHERE NOT o.dry_run
),
reserved_end AS (
    UPDATE assignment a SET reserved_until = now() FROM reserved k
    WHERE a.tenant_id = $1 AND a.id = k.id AND a.state = 'open' AND a.reserved_for IS NOT NULL
),
fields AS (
    DELETE FROM task_field f USING o WHERE NOT o.dry_run AND f.tenant_id = $1 AND f.task_id = o.task_id
),
gold_gone AS (
    DELETE FROM gold g USING o WHERE NOT o.dry_run AND g.tenant_id = $1 AND g.project_id = o.project_id AND g.task_id = o.task_id
),
answers AS (
    DELETE FROM idempotency_key k USING o WHERE NOT o.dry_run AND k.tenant_id = $1 AND k.user_id = o.user_id
),
n AS (
    SELECT (SELECT count(*) FROM drafts) AS drafts, (SELECT count(*) FROM comments) AS comments,
           coalesce((SELECT n FROM events), 0) AS events, (SELECT count(*) FROM leases) AS leases
),
counted AS (
    UPDATE erasure e SET drafts_n = e.drafts_n + n.drafts, comments_n = e.comments_n + n.comments, events_n = e.events_n + n.events,
        leases_n = e.leases_n + n.leases
    FROM n WHERE e.tenant_id = $1 AND e.id = $2
)
SELECT NOT o.dry_run AND greatest(n.comments, n.events) >= $3 FROM n CROSS JOIN o
