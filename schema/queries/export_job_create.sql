-- Orders an export of a ready release, or finds the one that is under way or there; that one is then kept for a week from now on, unless it
-- is over already: its bytes may be gone.
-- users: server
WITH j AS (
    INSERT INTO export_job AS k (tenant_id, release_id, format, container, media, labelled, created_by)
    SELECT tenant_id, id, $2::text, $3::text, $4::bool, $5::bool, $6::bigint FROM release WHERE id = $1::bigint AND state = 'ready'
    ON CONFLICT (tenant_id, release_id, format, container, media, labelled) WHERE state IN ('waiting', 'running', 'done')
    DO UPDATE SET expires_at = CASE WHEN k.state = 'done' THEN
            CASE WHEN k.expires_at > now() THEN now() + interval '7 days' ELSE k.expires_at END END
    RETURNING *
)
SELECT j.id, j.release_id, j.format, j.container, j.media, j.labelled, j.state, j.done, r.items, j.bytes, encode(j.sha256, 'hex'), j.error,
       to_json(j.created_at), to_json(j.ended_at), to_json(j.expires_at)
FROM j JOIN release r ON r.id = j.release_id
