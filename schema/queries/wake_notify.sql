-- Tells the servers that work has opened: api/park.h, wake.c.
-- users: server
SELECT pg_notify('annotate_open', $1::text)
