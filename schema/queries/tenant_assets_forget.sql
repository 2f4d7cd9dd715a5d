-- Forgets media whose objects are removed.
-- users: cli
DELETE FROM asset WHERE sha256 = ANY (SELECT decode(h, 'hex') FROM unnest($1::text[]) AS h)
