-- For claimed assignments of a person: draft, and the task's comments. Rows: ord, kind, JSON.
-- users: server
SELECT c.ord, 'draft', json_build_object('result', d.result, 'saved_at', d.saved_at)
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS c(ord, assignment, task)
JOIN draft d ON d.assignment_id = c.assignment AND d.user_id = $4::bigint
UNION ALL
SELECT c.ord, 'comments', k.list
FROM unnest($1, $2, $3) AS c(ord, assignment, task)
JOIN LATERAL (
    SELECT json_agg(json_build_object('id', m.id, 'parent', m.parent, 'author', m.author, 'region', m.region, 'text', m.text, 'created_at', m.created_at) ORDER BY m.id)
        AS list
    FROM comment m WHERE m.task_id = c.task AND NOT m.resolved) k ON k.list IS NOT NULL
