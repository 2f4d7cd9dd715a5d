-- Makes the event table's partitions of the months to come. One row a partition that was missing.
-- users: upkeep
SELECT n FROM generate_series(1, event_partitions($1::int)) AS n
