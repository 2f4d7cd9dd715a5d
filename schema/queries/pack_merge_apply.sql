-- Documents lie in pack $2 now, each only if it still lies where it was read; the packs they came from ($8) are dead. Packs of $9 could
-- not be read whole and stay as they are. The new pack is durable before (I6), and the old ones stay for the grace period, so whoever
-- has looked a place up still finds the document there.
-- users: upkeep
WITH moved AS (
    UPDATE label_version l SET pack = $2::text::uuid, pack_off = m.off
    FROM unnest($5::bigint[], $6::text[], $7::bigint[]) AS m(id, old, off)
    WHERE l.tenant_id = $1::bigint AND l.id = m.id AND l.pack = m.old::uuid
    RETURNING 1
),
made AS (
    INSERT INTO pack (tenant_id, id, bytes, documents)
    SELECT $1, $2::uuid, $3::bigint, $4::int WHERE EXISTS (SELECT FROM moved)
),
left_behind AS (
    UPDATE pack p SET dead_at = now(), dead_xid = pg_current_xact_id()
    FROM unnest($8::text[]) AS o(id) WHERE p.tenant_id = $1 AND p.id = o.id::uuid AND p.dead_at IS NULL
),
failed AS (
    UPDATE pack p SET failed_at = now()
    FROM unnest($9::text[]) AS o(id) WHERE p.tenant_id = $1 AND p.id = o.id::uuid
)
SELECT count(*) FROM moved
