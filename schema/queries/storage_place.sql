-- Where a walk through the storage stands.
-- users: upkeep
SELECT position->>'after' FROM reader_position WHERE name = $1::text
