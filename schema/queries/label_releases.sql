-- The releases that hold a label version, behind $2.
-- users: server
SELECT r.id, r.name, i.split, to_json(r.created_at)
FROM release_item i JOIN release r ON r.id = i.release_id
WHERE i.label_id = $1::bigint AND i.release_id > $2::bigint AND r.state = 'ready'
ORDER BY i.release_id LIMIT $3::int
