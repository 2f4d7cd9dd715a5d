-- Of packs that lie in the store ($3: stored when, seconds since 1970): one that no row names is entered as dead since it was stored;
-- one whose row is older than $4 seconds and that nothing refers to is dead from now on. The unique key is the lock: a transaction
-- that is about to name the same pack is waited for. $5: only look.
-- users: upkeep
WITH seen AS MATERIALIZED (
    SELECT s.tenant, s.id::uuid AS id, s.stored, s.bytes, p.id IS NULL AS unknown,
           p.id IS NOT NULL AND p.dead_at IS NULL AND p.created_at < now() - make_interval(secs => $4::int)
               AND NOT EXISTS (SELECT FROM label_version l WHERE l.tenant_id = s.tenant AND l.pack = s.id::uuid) AS unused
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $6::bigint[]) AS s(tenant, id, stored, bytes)
    LEFT JOIN pack p ON p.tenant_id = s.tenant AND p.id = s.id::uuid
),
entered AS (
    INSERT INTO pack (tenant_id, id, bytes, documents, dead_at, dead_xid)
    SELECT tenant, id, 0, 0, to_timestamp(stored), pg_current_xact_id() FROM seen WHERE unknown AND NOT $5::bool
    ON CONFLICT DO NOTHING
),
marked AS (
    UPDATE pack p SET dead_at = now(), dead_xid = pg_current_xact_id()
    FROM seen s WHERE s.unused AND NOT $5 AND p.tenant_id = s.tenant AND p.id = s.id
)
SELECT count(*) FILTER (WHERE unknown), count(*) FILTER (WHERE unused), coalesce(sum(bytes) FILTER (WHERE unknown OR unused), 0)
FROM seen
