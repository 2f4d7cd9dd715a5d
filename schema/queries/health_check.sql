-- Whether the database answers.
-- users: server
SELECT 1
