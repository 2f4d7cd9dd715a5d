-- Which database this is, and whether a position ($1 the last finished snapshot, $2 the one being read, or null) lies ahead of it.
-- users: stream
SELECT s.system_identifier::text, c.timeline_id::bigint, pg_is_in_recovery(),
       greatest(pg_snapshot_xmax(p.prev), pg_snapshot_xmax(coalesce(p.cur, p.prev)))
           > pg_snapshot_xmax(pg_current_snapshot())
FROM pg_control_system() s, pg_control_checkpoint() c,
     (SELECT $1::pg_snapshot AS prev, $2::pg_snapshot AS cur) p
