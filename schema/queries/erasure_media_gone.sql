-- Notes that the bytes of media ($3) are gone.
-- users: upkeep
UPDATE erasure_media SET state = 'gone'
WHERE tenant_id = $1::bigint AND erasure_id = $2::bigint AND sha256 = ANY (SELECT decode(hex, 'hex') FROM unnest($3::text[]) AS hex)
