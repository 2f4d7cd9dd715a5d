-- Where the copying of another project's tasks into this one stands; no row: nothing is to come.
-- users: server
SELECT copy_of, copy_after FROM project WHERE id = $1::bigint AND copy_after IS NOT NULL
