-- How many packs there are alive, of those small ones that a merge would take, and how many are dead.
-- users: upkeep
SELECT count(*) FILTER (WHERE dead_at IS NULL), count(*) FILTER (WHERE bytes < 1048576 AND dead_at IS NULL AND failed_at IS NULL),
       count(*) FILTER (WHERE dead_at IS NOT NULL)
FROM pack
