-- Uses an invite up: makes the user ($4: the password's hash), or takes the one there is ($5), into the invite's projects. No row when
-- it was used, taken back or has expired meanwhile, or when who invited may no longer invite. A role there is stays as it is.
-- users: server
WITH taken AS (
    UPDATE invite i SET accepted_at = now()
    WHERE i.id = $1::bigint AND i.sha256 = $2::bytea AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
      AND EXISTS (SELECT FROM app_user o WHERE o.id = i.created_by AND NOT o.disabled AND (o.admin OR NOT EXISTS (
          SELECT FROM invite_project p LEFT JOIN project_member m ON m.project_id = p.project_id AND m.user_id = i.created_by
          WHERE p.invite_id = i.id AND m.role IS DISTINCT FROM 'manager')))
    RETURNING tenant_id, id, email, created_by
),
born AS (
    INSERT INTO app_user (tenant_id, email, name, password)
    SELECT tenant_id, email, $3::text, $4::text FROM taken WHERE $5::bigint IS NULL
    RETURNING id, email, name, admin, token_epoch
),
who AS MATERIALIZED (
    SELECT id, email, name, admin, token_epoch FROM born
    UNION ALL
    SELECT u.id, u.email, u.name, u.admin, u.token_epoch FROM taken t JOIN app_user u ON u.id = $5 WHERE u.email = t.email AND NOT u.disabled
),
joined AS (
    INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by)
    SELECT p.tenant_id, p.project_id, w.id, p.role, t.created_by
    FROM taken t CROSS JOIN who w JOIN invite_project p ON p.invite_id = t.id
    ON CONFLICT (tenant_id, project_id, user_id) DO NOTHING
    RETURNING project_id
)
SELECT id, email, name, admin, token_epoch, (SELECT array_agg(project_id) FROM joined) FROM who
