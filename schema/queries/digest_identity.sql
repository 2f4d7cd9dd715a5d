-- Whether the digest's position was written in this database. After a restore from a dump the events bear another cluster's transaction
-- numbers, and nothing may be read by them: digest_take then stands still. (An older state of the same files is no such case: the
-- position is as old as the events.) Row: whether, and which databases these are.
-- users: upkeep
SELECT coalesce(position ->> 'system', database_identity()) = database_identity(), coalesce(position ->> 'system', ''), database_identity()
FROM reader_position WHERE name = 'digest'
