-- Deletes a bounded part of the tenant's rows of one table.
-- users: cli
SELECT tenant_delete_rows($1::text, $2::int)
