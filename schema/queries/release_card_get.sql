-- The data card of a ready release; $2: with the people by name.
-- users: server
SELECT r.card, CASE WHEN $2::bool THEN
    (SELECT coalesce(json_agg(json_build_object('user', p."user", 'name', u.name, 'items', p.items) ORDER BY p.items DESC, p."user"), '[]')
     FROM json_to_recordset(r.card_people) AS p("user" bigint, items bigint) LEFT JOIN app_user u ON u.id = p."user") END,
    r.id, r.project_id, r.name, r.description, r.licence, encode(r.root, 'hex'), to_json(r.created_at), r.filter, r.split, r.group_by,
    r.state
FROM release r WHERE r.id = $1::bigint AND r.state <> 'deleting'
