-- The tenant's events that became visible between snapshots $1 and $2 (NULL: now), after seq $3, in the order of seq. $1 does not see
-- what began after it and what ran while it was taken: the walk touches nothing else, however long a writer has been open. First a row
-- without a seq: the snapshot it ends at, and whether the reader is lost: more than $4 events behind, or ahead of a database that was
-- restored; then there are no others. $1 NULL: that row alone.
-- users: server
WITH span AS MATERIALIZED (
    SELECT p.prev, p.cur, pg_snapshot_xmax(p.prev) AS from_xid, pg_snapshot_xmax(p.cur) AS to_xid,
           greatest(pg_snapshot_xmax(p.prev), pg_snapshot_xmax(p.cur)) > pg_snapshot_xmax(pg_current_snapshot()) AS ahead
    FROM (SELECT $1::pg_snapshot AS prev, coalesce($2::pg_snapshot, pg_current_snapshot()) AS cur) p
),
found AS MATERIALIZED (
    SELECT e.* FROM event e
    WHERE e.xid >= (SELECT from_xid FROM span) AND e.xid < (SELECT to_xid FROM span)
      AND pg_visible_in_snapshot(e.xid, (SELECT cur FROM span))
    UNION ALL
    SELECT e.* FROM (SELECT pg_snapshot_xip(prev) AS xid FROM span) open JOIN event e ON e.xid = open.xid
    WHERE pg_visible_in_snapshot(e.xid, (SELECT cur FROM span))
    LIMIT $4::int + 1
),
read AS MATERIALIZED (
    SELECT s.cur, s.ahead OR (SELECT count(*) FROM found) > $4 AS lost FROM span s
)
SELECT NULL::bigint AS seq, cur::text AS snapshot, lost, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
       NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::json, NULL::text
FROM read
UNION ALL
(SELECT seq, NULL, NULL, project_id, task_id, task_version, actor, assignment_id, label_id, release_id, action::text, from_state::text,
        to_state::text, to_json(at), CASE WHEN action IN ('assign', 'unassign') THEN detail ->> 'user' ELSE actor::text END
 FROM found WHERE seq > $3::bigint AND NOT (SELECT lost FROM read)
 ORDER BY seq)
