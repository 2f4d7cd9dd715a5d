-- The id of the next API token: it is part of the token, whose hash is part of the row.
-- users: cli
SELECT nextval(pg_get_serial_sequence('api_token', 'id'))
