-- The account of an e-mail address, over all tenants: the one look-up that precedes a tenant.
-- users: server
SELECT tenant_id, user_id, name, admin, password, token_epoch FROM login_find($1::text)
