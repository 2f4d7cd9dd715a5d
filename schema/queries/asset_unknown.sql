-- Which of the media that lie in the store no row names: their places in the question.
-- users: upkeep
SELECT s.ord FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS s(tenant, sha256, ord)
WHERE NOT EXISTS (SELECT FROM asset a WHERE a.tenant_id = s.tenant AND a.sha256 = decode(s.sha256, 'hex'))
