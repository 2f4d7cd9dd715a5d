-- The data of the tasks that a search found, in their order. Data never changes.
-- users: server
SELECT t.data FROM unnest($1::bigint[]) WITH ORDINALITY AS i(id, ord) JOIN task t ON t.id = i.id ORDER BY i.ord
