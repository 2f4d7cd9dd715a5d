-- A page of a project's tasks ($1 tenant, $2 project) with a label, of the states $3, behind $4, and what a filter may ask of them,
-- as in search_facts; but data is read from the tasks themselves, so that no path needs to be indexed.
-- users: export
SELECT t.id, t.state, t.external_id, t.priority, t.rework_count, t.skip_count, (extract(epoch FROM t.created_at) * 1000000)::bigint,
       (extract(epoch FROM t.updated_at) * 1000000)::bigint,
       CASE WHEN $6::bool THEN (SELECT array_agg(a.holder) FROM assignment a
                                WHERE a.tenant_id = t.tenant_id AND a.task_id = t.id AND a.state = 'leased') END,
       CASE WHEN $7::bool THEN (SELECT array_agg(a.holder) FROM assignment a
                                WHERE a.tenant_id = t.tenant_id AND a.task_id = t.id AND a.stage = 'annotate' AND a.state = 'submitted') END,
       CASE WHEN $8::bool THEN EXISTS (SELECT FROM comment c WHERE c.tenant_id = t.tenant_id AND c.task_id = t.id) END,
       CASE WHEN $9::text[] <> '{}' THEN
           (SELECT json_agg(CASE WHEN v.text IS NULL THEN to_json(v.number) ELSE to_json(v.text) END ORDER BY p.ord)
            FROM unnest($9) WITH ORDINALITY AS p(field, ord)
            LEFT JOIN LATERAL (
                SELECT d.text, d.number FROM field_value(t.data, p.field) d WHERE starts_with(p.field, 'data.')
                UNION ALL
                SELECT f.text, f.number FROM task_field f WHERE NOT starts_with(p.field, 'data.')
                   AND f.tenant_id = t.tenant_id AND f.task_id = t.id AND f.field = p.field LIMIT 1) v ON true) END,
       CASE WHEN $10::bool THEN (SELECT json_agg(f.text) FROM task_field f
                                 WHERE f.tenant_id = t.tenant_id AND f.task_id = t.id AND f.field = 'label') END,
       t.head_label IS NOT NULL
FROM (SELECT w.id FROM unnest($3::text[]) AS s(state) CROSS JOIN LATERAL (
          SELECT k.id FROM task k WHERE k.tenant_id = $1::bigint AND k.project_id = $2::bigint AND k.state = s.state AND k.id > $4::bigint
          ORDER BY k.id LIMIT $5::int) w
      ORDER BY w.id LIMIT $5) page
JOIN task t ON t.tenant_id = $1 AND t.id = page.id
ORDER BY t.id
