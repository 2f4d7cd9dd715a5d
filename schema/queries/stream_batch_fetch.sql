-- The next piece of the batch.
-- users: stream
FETCH 1000 FROM stream_batch
