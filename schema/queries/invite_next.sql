-- The next invite's id: its token's text contains it.
-- users: server
SELECT nextval('invite_id_seq')
