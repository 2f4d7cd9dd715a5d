-- The tables that hold rows of tenants, in the order in which a tenant is deleted from them.
-- users: cli
SELECT name FROM tenant_tables()
