-- Settles late work without taking it in. One row when there is such a label; done: it was open late work.
-- users: server
WITH late AS (
    SELECT tenant_id, id, kind FROM label_version WHERE id = $1::bigint
),
done AS (
    INSERT INTO late_settled (tenant_id, label_id, how, actor)
    SELECT tenant_id, id, 'dismissed', $2::bigint FROM late WHERE kind = 'late'
    ON CONFLICT DO NOTHING
    RETURNING label_id
)
SELECT l.kind = 'late', EXISTS (SELECT FROM done) FROM late l
