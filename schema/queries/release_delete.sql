-- Deletes a release unless it is protected: out of sight at once, with its exports. annotate-export takes its items away, upkeep the
-- bytes of its exports. Answers whether there is such a release, and whether it could be deleted: it is not protected, nor being built.
-- users: server
WITH gone AS (
    UPDATE release SET state = 'deleting', name = 'deleting #' || id
    WHERE id = $1::bigint AND state IN ('ready', 'failed') AND (NOT protected OR state = 'failed')
    RETURNING tenant_id, id
),
exports AS (
    UPDATE export_job j
    SET state = CASE WHEN j.state = 'done' THEN 'done' ELSE 'cancelled' END, ended_at = coalesce(j.ended_at, now()), lease_until = NULL,
        expires_at = CASE WHEN j.state = 'done' THEN now() END
    FROM gone g WHERE j.release_id = g.id AND j.state IN ('waiting', 'running', 'done')
)
SELECT EXISTS (SELECT FROM release WHERE id = $1 AND state <> 'deleting'), EXISTS (SELECT FROM gone)
