-- Where erased documents lay in one of the packs that an order has left to do, and whether another version lies there, too.
-- users: upkeep
SELECT p.pack, p.pack_off, p.bytes, EXISTS (
           SELECT FROM label_version l WHERE l.tenant_id = p.tenant_id AND l.pack = p.pack
             AND l.pack_off < p.pack_off + p.bytes AND l.pack_off + l.bytes > p.pack_off)
FROM erasure_place p
WHERE p.tenant_id = $1::bigint AND p.erasure_id = $2::bigint
  AND p.pack = (SELECT n.pack FROM erasure_place n WHERE n.tenant_id = $1 AND n.erasure_id = $2 ORDER BY n.pack LIMIT 1)
ORDER BY p.pack_off
