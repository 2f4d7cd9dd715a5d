-- Lets go of a tenant's packs.
-- users: upkeep
SELECT pg_advisory_unlock(hashtextextended('packs', $1::bigint))
