-- Ends the items and frees their temporary file.
-- users: stream
CLOSE stream_items
