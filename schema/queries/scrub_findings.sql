-- What hashing again has found and is still so, a page.
-- users: upkeep
SELECT tenant_id, kind, id, what, to_json(at) FROM scrub_finding
WHERE (tenant_id, kind, id) > ($1::bigint, $2::text, $3::text) ORDER BY tenant_id, kind, id LIMIT 500
