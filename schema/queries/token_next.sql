-- The next API token's id.
-- users: server
SELECT nextval('api_token_id_seq')
