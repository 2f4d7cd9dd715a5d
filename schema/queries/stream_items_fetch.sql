-- The next piece of a release's items.
-- users: stream
FETCH 1000 FROM stream_items
