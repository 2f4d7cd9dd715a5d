-- A user with the projects they belong to, as one JSON answer (GET /v1/me).
-- users: server
SELECT json_build_object('id', u.id, 'email', u.email, 'name', u.name, 'admin', u.admin,
    'tenant', json_build_object('id', t.id, 'name', t.name),
    'projects', coalesce((SELECT json_agg(json_build_object('id', p.id, 'name', p.name, 'role', m.role) ORDER BY p.id)
        FROM (SELECT * FROM project_member WHERE user_id = u.id ORDER BY project_id LIMIT 500) m
        JOIN project p ON p.id = m.project_id), '[]'::json))
FROM app_user u JOIN tenant t ON t.id = u.tenant_id WHERE u.id = $1::bigint AND NOT u.disabled
