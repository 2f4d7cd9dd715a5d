-- The server of an import lives: for another minute upkeep takes its word for it.
-- users: server
UPDATE import SET lease_until = now() + interval '1 minute' WHERE id = $1::bigint AND state IN ('checking', 'running')
