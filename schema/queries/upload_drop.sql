-- Gives an upload up; upkeep removes what there is of it.
-- users: server
UPDATE upload SET removing = true WHERE id = $1::bigint AND user_id = $2::bigint AND NOT removing RETURNING id
