-- Of the logins that streams of events were opened with ($1 their users, $2 their API tokens, 0: a login token of epoch $3) those that
-- still hold, by their place in the arrays, with their users' projects: a row each, or one without a project.
-- users: server
SELECT k.n, u.admin, m.project_id, m.role
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS k(who, token, epoch, n)
JOIN app_user u ON u.id = k.who
LEFT JOIN LATERAL (SELECT t.id FROM api_token t WHERE t.id = k.token AND t.user_id = k.who AND t.revoked_at IS NULL OFFSET 0) t ON true
LEFT JOIN LATERAL (SELECT m.project_id, m.role FROM project_member m WHERE m.user_id = u.id OFFSET 0) m ON true
WHERE NOT u.disabled AND (t.id IS NOT NULL OR (k.token = 0 AND u.token_epoch = k.epoch))
ORDER BY k.n, m.project_id
