-- Forgets exports whose objects are removed.
-- users: cli
DELETE FROM export_job WHERE id = ANY (SELECT split_part(h, '-', 1)::bigint FROM unnest($1::text[]) AS h)
