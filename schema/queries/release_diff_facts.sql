-- Two releases that are to be compared.
-- users: server
SELECT id, project_id, name, state, encode(root, 'hex'), items FROM release WHERE id IN ($1::bigint, $2::bigint) AND state <> 'deleting'
