-- A page of the invites that nobody has accepted or taken back; without being an administrator ($2) only one's own.
-- users: server
SELECT i.id, i.email, i.name, i.created_by, to_json(i.created_at), to_json(i.expires_at), i.expires_at <= now(),
       coalesce((SELECT json_agg(json_build_object('id', p.project_id, 'role', p.role) ORDER BY p.project_id)
                 FROM invite_project p WHERE p.invite_id = i.id), '[]'::json)
FROM invite i
WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.id > $3::bigint AND ($2::bool OR i.created_by = $1::bigint)
ORDER BY i.id LIMIT $4::int
