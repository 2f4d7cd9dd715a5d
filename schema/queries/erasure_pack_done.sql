-- Forgets where an order's documents lay in pack $3: their bytes are gone.
-- users: upkeep
DELETE FROM erasure_place WHERE tenant_id = $1::bigint AND erasure_id = $2::bigint AND pack = $3::text::uuid
