-- Which database this is (the cluster's identifier and the database's own number: a database made anew in the same cluster is
-- another one), and whether a position ($1 the last finished snapshot, $2 the one being read, or null) lies ahead of it.
-- users: stream
SELECT s.system_identifier || '.' || d.oid, c.timeline_id::bigint, pg_is_in_recovery(),
       greatest(pg_snapshot_xmax(p.prev), pg_snapshot_xmax(coalesce(p.cur, p.prev)))
           > pg_snapshot_xmax(pg_current_snapshot())
FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d,
     (SELECT $1::pg_snapshot AS prev, $2::pg_snapshot AS cur) p
WHERE d.datname = current_database()
