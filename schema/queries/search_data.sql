-- What the tasks that a search found came with, in their order. It never changes.
-- users: server
SELECT t.data, coalesce(t.meta, 'null') FROM unnest($1::bigint[]) WITH ORDINALITY AS i(id, ord) JOIN task t ON t.id = i.id ORDER BY i.ord
