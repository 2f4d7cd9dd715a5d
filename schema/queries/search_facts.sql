-- What a filter may ask of tasks $2, in their order; the dearer facts only when it does ($3 holders, $4 annotators, $5 comments,
-- $6 fields with one value, $7 labels).
-- users: server
SELECT t.id, t.state, t.version, t.external_id, t.priority, t.overlap, t.rework_count, t.skip_count, to_json(t.created_at),
       to_json(t.updated_at), (extract(epoch FROM t.created_at) * 1000000)::bigint, (extract(epoch FROM t.updated_at) * 1000000)::bigint,
       CASE WHEN $3::bool THEN (SELECT array_agg(a.holder) FILTER (WHERE a.state = 'leased') FROM assignment a WHERE a.task_id = t.id) END,
       CASE WHEN $4::bool THEN (SELECT array_agg(a.holder) FILTER (WHERE a.stage = 'annotate' AND a.state = 'submitted')
                                FROM assignment a WHERE a.task_id = t.id) END,
       CASE WHEN $5::bool THEN (SELECT count(*) FROM (SELECT FROM comment c WHERE c.task_id = t.id LIMIT 1) k) > 0 END,
       CASE WHEN $6::text[] <> '{}' THEN
           (SELECT json_agg(CASE WHEN f.text IS NULL THEN to_json(f.number) ELSE to_json(f.text) END ORDER BY p.ord)
            FROM unnest($6) WITH ORDINALITY AS p(field, ord)
            LEFT JOIN task_field f ON f.task_id = t.id AND f.field = p.field) END,
       CASE WHEN $7::bool THEN (SELECT json_agg(f.text) FROM task_field f WHERE f.task_id = t.id AND f.field = 'label') END
FROM unnest($2::bigint[]) WITH ORDINALITY AS i(id, ord) JOIN task t ON t.id = i.id
WHERE t.project_id = $1::bigint
ORDER BY i.ord
