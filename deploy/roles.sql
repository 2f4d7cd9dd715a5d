-- The database's roles, made once by a superuser in the new, empty database (./run does; so does docker-compose's init).
-- owner: migrations. api: the server, row-level security applies. worker: stream, upkeep, export; reads across tenants.
-- No passwords here: peer authentication on the socket, or ALTER ROLE ... PASSWORD by the operator.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'annotate_owner') THEN
        CREATE ROLE annotate_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'annotate_api') THEN
        CREATE ROLE annotate_api LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'annotate_worker') THEN
        CREATE ROLE annotate_worker LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;
    END IF;
END $$;
GRANT annotate_worker TO annotate_owner;
ALTER SCHEMA public OWNER TO annotate_owner;
GRANT CREATE ON SCHEMA public TO annotate_worker;
ALTER ROLE annotate_api SET statement_timeout = '10s';
ALTER ROLE annotate_api SET lock_timeout = '2s';
ALTER ROLE annotate_api SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE annotate_api SET client_connection_check_interval = '5s';
ALTER ROLE annotate_api SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE annotate_api SET jit = off;
-- Every statement of the server is a short walk along indexes; a plan made while a table was small must not turn into a scan.
ALTER ROLE annotate_api SET enable_seqscan = off;
ALTER ROLE annotate_api SET enable_hashjoin = off;
ALTER ROLE annotate_api SET enable_mergejoin = off;
ALTER ROLE annotate_worker SET jit = off;
