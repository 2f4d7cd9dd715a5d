-- A page of the orders of erasure: an administrator ($2) sees all, others those that they ($3) gave.
-- users: server
SELECT e.id, erasure_json(e) FROM erasure e
WHERE e.id > $1::bigint AND ($2::bool OR e.created_by = $3::bigint)
ORDER BY e.id LIMIT $4::int
