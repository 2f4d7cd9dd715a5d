-- Forgets parts of uploads whose objects are removed.
-- users: cli
DELETE FROM upload_part p USING unnest($1::text[]) AS name
WHERE p.upload_id = split_part(name, '/', 1)::bigint AND p.n = split_part(split_part(name, '/', 2), '.', 1)::int
  AND p.sha256 = decode(split_part(name, '.', 2), 'hex')
