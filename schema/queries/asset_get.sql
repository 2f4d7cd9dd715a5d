-- What is known of stored media.
-- users: server
SELECT media_type, bytes, width, height FROM asset WHERE sha256 = $1::bytea
