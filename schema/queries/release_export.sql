-- A release that is to be exported, with the label config it was built under.
-- users: server
SELECT r.state, r.name, encode(r.root, 'hex'), r.items, c.xml
FROM release r
LEFT JOIN label_config c ON c.project_id = r.project_id AND c.version = r.label_config_version
WHERE r.id = $1::bigint AND r.state <> 'deleting'
