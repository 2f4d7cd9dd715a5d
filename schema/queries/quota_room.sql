-- What limits an import or an upload: limit and use of tasks and of bytes; NULL: no limit.
-- users: server
SELECT t.most, CASE WHEN t.most IS NOT NULL THEN quota_used(o.tenant, 'tasks') END,
       b.most, CASE WHEN b.most IS NOT NULL THEN quota_used(o.tenant, 'bytes') END
FROM (SELECT current_setting('app.tenant')::bigint AS tenant) o
LEFT JOIN quota t ON t.tenant_id = o.tenant AND t.name = 'tasks'
LEFT JOIN quota b ON b.tenant_id = o.tenant AND b.name = 'bytes'
