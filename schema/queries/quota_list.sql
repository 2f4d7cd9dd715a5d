-- The tenant's quotas: name, limit (NULL: none), use (NULL: it is not one sum).
-- users: server cli
SELECT n.name, q.most, CASE WHEN n.name <> 'tokens' THEN quota_used(current_setting('app.tenant')::bigint, n.name) END
FROM unnest(ARRAY['projects', 'users', 'tasks', 'bytes', 'tokens']) WITH ORDINALITY AS n(name, ord)
LEFT JOIN quota q ON q.tenant_id = current_setting('app.tenant')::bigint AND q.name = n.name
ORDER BY n.ord
