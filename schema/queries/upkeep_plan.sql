-- Lets the duties be planned as walks along indexes, as the server's statements are: a plan that was made while a table was empty must
-- not scan it once it has grown. Of the session, so it is said again now and then. $1: how many of the settings.
-- users: upkeep
SELECT set_config(s.name, 'off', false) FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) AS s(name) LIMIT $1::int
