-- The events that became visible between snapshots $1 and $2, after seq $3, in the order of seq. A held cursor: it is sorted once,
-- read in pieces, and keeps no snapshot of its own open. The bounds on xid are an exact superset and let the index be used.
-- users: stream
DECLARE stream_batch NO SCROLL CURSOR WITH HOLD FOR
SELECT seq, tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version, label_id, release_id,
       action::text, from_state::text, to_state::text,
       to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), (extract(epoch FROM at) * 1e6)::bigint,
       detail::text, CASE WHEN task_id IS NULL THEN detail ->> 'type' END
FROM event
WHERE xid >= pg_snapshot_xmin($1::pg_snapshot) AND xid < pg_snapshot_xmax($2::pg_snapshot)
  AND pg_visible_in_snapshot(xid, $2::pg_snapshot)
  AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot)
  AND seq > $3::bigint
ORDER BY seq
