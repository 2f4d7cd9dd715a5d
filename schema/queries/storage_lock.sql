-- Takes a tenant's packs for this session, or answers that another has them: one at a time writes of what lies in others (merge, erasure).
-- users: upkeep
SELECT pg_try_advisory_lock(hashtextextended('packs', $1::bigint))
