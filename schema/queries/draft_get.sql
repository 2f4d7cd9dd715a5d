-- A person's own draft of an assignment; it stays when the lease is lost.
-- users: server
SELECT result, to_json(saved_at), assignment_version FROM draft WHERE assignment_id = $1::bigint AND user_id = $2::bigint
