-- How many of these external ids the project has already: an import that is checked first does not need room for them.
-- users: server
SELECT count(*) FROM (SELECT DISTINCT e.id FROM unnest($2::text[]) AS e(id) WHERE e.id IS NOT NULL) n
JOIN task t ON t.project_id = $1::bigint AND t.external_id = n.id
