-- What a release holds, in figures, as JSON, and who annotated it (its people). Labels, as the search knows them, and agreement are of
-- side tables, which follow the work in about a second.
-- users: export
WITH item AS MATERIALIZED (
    SELECT i.task_id, i.split, l.sha256, l.seq, l.author, l.model, l.kind, l.regions, l.created_at, l.label_config_version,
           l.lead_time, t.rework_count
    FROM release_item i
    JOIN task t ON t.tenant_id = i.tenant_id AND t.id = i.task_id
    JOIN label_version l ON l.tenant_id = i.tenant_id AND l.id = i.label_id
    WHERE i.tenant_id = $1::bigint AND i.release_id = $2::bigint
),
part AS (
    SELECT split, count(*) AS items, sum(regions) AS regions FROM item GROUP BY split
),
label AS MATERIALIZED (
    SELECT f.text AS label, i.split, count(*) AS n
    FROM item i JOIN task_field f ON f.tenant_id = $1 AND f.task_id = i.task_id AND f.field = 'label'
    WHERE f.text IS NOT NULL GROUP BY 1, 2
),
ranked AS (
    SELECT label, sum(n)::bigint AS n, json_object_agg(split, n ORDER BY split COLLATE "C") AS splits
    FROM label GROUP BY label ORDER BY 2 DESC, label COLLATE "C" LIMIT 1000
),
person AS MATERIALIZED (
    SELECT v.author AS id, count(DISTINCT v.task_id) AS items
    FROM item i JOIN label_version v ON v.tenant_id = $1 AND v.task_id = i.task_id AND v.seq <= i.seq
    WHERE v.kind = 'submission' AND v.author IS NOT NULL
    GROUP BY v.author
),
agreement AS (
    SELECT count(*) AS n, avg(f.number) AS mean, least(greatest(floor(f.number * 10), 0), 9)::int AS tenth
    FROM item i JOIN task_field f ON f.tenant_id = $1 AND f.task_id = i.task_id AND f.field = 'agreement' AND f.number IS NOT NULL
    GROUP BY tenth
),
model AS (
    SELECT i.model, count(*) AS n FROM item i WHERE i.model IS NOT NULL GROUP BY 1
)
SELECT json_build_object(
    'items', (SELECT count(*) FROM item),
    'regions', (SELECT coalesce(sum(regions), 0) FROM item),
    'splits', (SELECT coalesce(json_object_agg(split, json_build_object('items', items, 'regions', regions) ORDER BY split COLLATE "C"),
                               '{}') FROM part),
    'labels', (SELECT coalesce(json_agg(json_build_object('label', label, 'items', n, 'splits', splits)
                                        ORDER BY n DESC, label COLLATE "C"), '[]') FROM ranked),
    'annotators', (SELECT json_build_object('count', count(*), 'items', coalesce(json_agg(items ORDER BY items DESC), '[]'))
                   FROM (SELECT items FROM person ORDER BY items DESC LIMIT 1000) p),
    'agreement', (SELECT json_build_object('items', coalesce(sum(n), 0), 'mean', sum(mean * n) / sum(n),
                      'tenths', (SELECT json_agg(coalesce(a.n, 0) ORDER BY t) FROM generate_series(0, 9) t LEFT JOIN agreement a
                                 ON a.tenth = t)) FROM agreement),
    'rework', (SELECT json_build_object('items', count(*) FILTER (WHERE rework_count > 0), 'rounds', coalesce(sum(rework_count), 0))
               FROM item),
    'models', (SELECT json_build_object(
                   'made', (SELECT count(*) FROM item WHERE author IS NULL AND model IS NOT NULL),
                   'predicted', count(p.task_id),
                   'unchanged', count(*) FILTER (WHERE p.same),
                   'by_model', (SELECT coalesce(json_object_agg(model, n ORDER BY model COLLATE "C"), '{}') FROM model))
               FROM item i LEFT JOIN LATERAL (
                   SELECT v.task_id, bool_or(v.sha256 = i.sha256) AS same FROM label_version v
                   WHERE v.tenant_id = $1 AND v.task_id = i.task_id AND v.kind = 'prelabel' AND v.seq <= i.seq GROUP BY v.task_id) p ON true),
    'kinds', (SELECT coalesce(json_object_agg(kind, n ORDER BY kind COLLATE "C"), '{}') FROM (SELECT kind, count(*) AS n FROM item GROUP BY 1) k),
    'configs', (SELECT coalesce(json_object_agg(label_config_version, n ORDER BY label_config_version), '{}')
                FROM (SELECT label_config_version, count(*) AS n FROM item GROUP BY 1) k),
    'first_label_at', (SELECT min(created_at) FROM item),
    'last_label_at', (SELECT max(created_at) FROM item),
    'lead_time', (SELECT json_build_object('items', count(lead_time), 'seconds', coalesce(sum(lead_time), 0)) FROM item)),
    (SELECT coalesce(json_agg(json_build_object('user', id, 'items', items) ORDER BY items DESC, id), '[]')
     FROM (SELECT * FROM person ORDER BY items DESC, id LIMIT 1000) p)
