-- A page of a project's members ($4: only this one) with the sums of all their days; a member without any has one row.
-- users: server
SELECT m.user_id, u.name, m.role, s.stage, s.action, s.bucket, s.n, s.lead_ms,
       to_json((SELECT p.at FROM reader_position p WHERE p.name = 'digest'))
FROM (SELECT k.tenant_id, k.user_id, k.role FROM project_member k
      WHERE k.project_id = $1::bigint AND k.user_id > $2::bigint AND k.user_id >= coalesce($4::bigint, 0)
        AND k.user_id <= coalesce($4, 9223372036854775807)
      ORDER BY k.user_id LIMIT $3::int) m
JOIN app_user u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
LEFT JOIN stat s ON s.tenant_id = m.tenant_id AND s.project_id = $1 AND s.user_id = m.user_id AND s.day = '-infinity'::date
ORDER BY m.user_id, s.stage, s.action, s.bucket
