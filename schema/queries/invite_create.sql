-- An invite under the id drawn by invite_next; no row when the inviter ($5; $6: an administrator) may not invite to one of the projects.
-- users: server
WITH wanted AS MATERIALIZED (
    SELECT w.project, w.role FROM unnest($7::bigint[], $8::text[]) AS w(project, role)
),
allowed AS MATERIALIZED (
    SELECT w.project, w.role FROM wanted w JOIN project p ON p.id = w.project
    WHERE $6::bool OR EXISTS (
        SELECT FROM project_member m WHERE m.project_id = w.project AND m.user_id = $5::bigint AND m.role = 'manager')
),
made AS (
    INSERT INTO invite (tenant_id, id, email, name, sha256, created_by) OVERRIDING SYSTEM VALUE
    SELECT current_setting('app.tenant')::bigint, $1::bigint, lower($2::text), $3::text, $4::bytea, $5
    WHERE ($6 OR EXISTS (SELECT FROM wanted)) AND (SELECT count(*) FROM wanted) = (SELECT count(*) FROM allowed)
    RETURNING tenant_id, id, email, created_at, expires_at
),
joined AS (
    INSERT INTO invite_project (tenant_id, invite_id, project_id, role)
    SELECT m.tenant_id, m.id, a.project, a.role FROM made m CROSS JOIN allowed a
)
SELECT id, email, to_json(created_at), to_json(expires_at) FROM made
