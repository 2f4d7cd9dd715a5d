-- A page of a project's members with how far one of them ($4) agrees with each: all together (values ''), then by what the two said; at
-- most $5 rows a member. Who was never compared with them has one row.
-- users: server
SELECT m.user_id, u.name, m.role, s.control, s.kind, s.value_a, s.value_b, s.n, s.score,
       to_json((SELECT p.at FROM reader_position p WHERE p.name = 'digest'))
FROM (SELECT k.tenant_id, k.user_id, k.role FROM project_member k
      WHERE k.project_id = $1::bigint AND k.user_id > $2::bigint ORDER BY k.user_id LIMIT $3::int) m
JOIN app_user u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
LEFT JOIN LATERAL (
    SELECT s.control, s.kind, s.value_a, s.value_b, s.n, s.score FROM agreement_sum s
    WHERE s.project_id = $1 AND s.user_id = $4::bigint AND s.other_id = m.user_id AND s.n > 0
    ORDER BY s.control, s.kind, s.value_a, s.value_b LIMIT $5::int) s ON true
ORDER BY m.user_id, s.control, s.kind, s.value_a, s.value_b
