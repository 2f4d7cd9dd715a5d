-- A step of the difference between releases $1 and $2: both are walked in task order from $3 on, $4 items each; of what both walks have
-- covered, what is not equal. Every row says up to which task that is (none: nothing is left) and how many were equal.
-- users: server
WITH a AS MATERIALIZED (
    SELECT task_id, label_id, split, label_sha256, asset_sha256 FROM release_item
    WHERE release_id = $1::bigint AND task_id > $3::bigint ORDER BY task_id LIMIT $4::int
),
b AS MATERIALIZED (
    SELECT task_id, label_id, split, label_sha256, asset_sha256 FROM release_item
    WHERE release_id = $2::bigint AND task_id > $3 ORDER BY task_id LIMIT $4
),
upto AS MATERIALIZED (
    SELECT CASE WHEN na < $4 AND nb < $4 THEN greatest(ma, mb) WHEN na < $4 THEN mb WHEN nb < $4 THEN ma ELSE least(ma, mb) END AS task_id
    FROM (SELECT count(*) AS na, max(task_id) AS ma FROM a) x CROSS JOIN (SELECT count(*) AS nb, max(task_id) AS mb FROM b) y
),
both_sides AS MATERIALIZED (
    SELECT task_id, a.label_id AS a_label, b.label_id AS b_label, a.split AS a_split, b.split AS b_split,
           a.task_id IS NOT NULL AND b.task_id IS NOT NULL AS kept,
           a.label_sha256 IS DISTINCT FROM b.label_sha256 AS relabelled, a.asset_sha256 IS DISTINCT FROM b.asset_sha256 AS media,
           a.split IS DISTINCT FROM b.split AS moved, a.label_sha256 AS a_sha, b.label_sha256 AS b_sha
    FROM a FULL JOIN b USING (task_id)
    WHERE task_id <= (SELECT task_id FROM upto)
),
unequal AS (
    SELECT s.*, t.external_id FROM both_sides s JOIN task t ON t.id = s.task_id
    WHERE NOT s.kept OR s.relabelled OR s.media OR s.moved
)
SELECT u.task_id, (SELECT count(*) FROM both_sides WHERE kept AND NOT relabelled AND NOT media AND NOT moved), d.task_id, d.external_id,
       d.kept, d.relabelled, d.media, d.moved, d.a_label, d.b_label, encode(d.a_sha, 'hex'), encode(d.b_sha, 'hex'), d.a_split, d.b_split
FROM upto u LEFT JOIN unequal d ON true
ORDER BY d.task_id
