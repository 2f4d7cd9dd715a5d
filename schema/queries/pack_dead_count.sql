-- How many dead packs there are whose grace period, $1 seconds, is over, their bytes, and how many are dead at all.
-- users: upkeep
SELECT count(*) FILTER (WHERE dead_at <= now() - make_interval(secs => $1::int)),
       coalesce(sum(bytes) FILTER (WHERE dead_at <= now() - make_interval(secs => $1)), 0), count(*)
FROM pack WHERE dead_at IS NOT NULL
