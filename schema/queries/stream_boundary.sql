-- The end of the next batch: what is committed now, and the time.
-- users: stream
SELECT pg_current_snapshot()::text, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint
