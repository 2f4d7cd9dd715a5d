-- A new tenant; no row when the name is taken.
-- users: cli
INSERT INTO tenant (name) VALUES ($1::text) ON CONFLICT (name) DO NOTHING RETURNING id
