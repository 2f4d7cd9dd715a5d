-- Keeps where a walk through the storage stands.
-- users: upkeep
INSERT INTO reader_position (name, position, at) VALUES ($1::text, json_build_object('after', $2::text), now())
ON CONFLICT (name) DO UPDATE SET position = excluded.position, at = excluded.at
