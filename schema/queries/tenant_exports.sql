-- Some exports of the tenant whose objects are to be removed: <job>-<attempt>.
-- users: cli
SELECT id || '-' || attempts FROM export_job ORDER BY id LIMIT 500
