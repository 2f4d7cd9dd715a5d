-- Gives up a data path to search by; upkeep forgets its values, then frees the slot.
-- users: server
UPDATE search_field SET state = 'dropping' WHERE project_id = $1::bigint AND path = $2::text RETURNING path
