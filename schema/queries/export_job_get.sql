-- An export of a release, and at which attempt it was made, which its content's name says.
-- users: server
SELECT j.id, j.release_id, j.format, j.container, j.media, j.labelled, j.state, j.done, r.items, j.bytes, encode(j.sha256, 'hex'), j.error,
       to_json(j.created_at), to_json(j.ended_at), to_json(j.expires_at),
       j.attempts
FROM export_job j JOIN release r ON r.id = j.release_id AND r.state <> 'deleting'
WHERE j.id = $1::bigint
