-- An upload of a person.
-- users: server
SELECT upload_json(u) FROM upload u WHERE u.id = $1::bigint AND u.user_id = $2::bigint AND NOT u.removing
