-- Gives up uploads that nobody has touched for a day, complete or not, and forgets those of which nothing is left. Answers how many.
-- users: upkeep
WITH old AS (SELECT tenant_id, id FROM upload WHERE touched_at < now() - interval '24 hours' AND NOT removing LIMIT $1::int FOR UPDATE SKIP LOCKED),
given_up AS (UPDATE upload u SET removing = true FROM old s WHERE u.tenant_id = s.tenant_id AND u.id = s.id RETURNING u.id),
empty AS (
    SELECT u.tenant_id, u.id FROM upload u WHERE u.removing AND u.touched_at < now() - interval '1 hour'
        AND NOT EXISTS (SELECT FROM upload_part p WHERE p.tenant_id = u.tenant_id AND p.upload_id = u.id) LIMIT $1 FOR UPDATE SKIP LOCKED),
forgotten AS (DELETE FROM upload u USING empty e WHERE u.tenant_id = e.tenant_id AND u.id = e.id RETURNING u.id)
SELECT (SELECT count(*) FROM given_up) + (SELECT count(*) FROM forgotten)
