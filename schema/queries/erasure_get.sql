-- An order of erasure, for an administrator ($2) or who gave it ($3).
-- users: server
SELECT erasure_json(e) FROM erasure e WHERE e.id = $1::bigint AND ($2::bool OR e.created_by = $3::bigint)
