-- Ends the batch and frees its temporary file.
-- users: stream
CLOSE stream_batch
