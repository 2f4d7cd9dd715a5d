-- This database was restored from a dump: its events are numbered anew, its sums begin anew. Row: how many events.
-- users: cli
SELECT database_adopt()
