-- What is known of stored media, as one JSON answer.
-- users: server
SELECT json_build_object('sha256', encode(a.sha256, 'hex'), 'bytes', a.bytes, 'media_type', a.media_type, 'width', a.width, 'height', a.height,
    'duration', round(a.duration_ms / 1000.0, 3), 'sample_rate', a.sample_rate, 'channels', a.channels, 'pages', a.pages, 'created_at', a.created_at)
FROM asset a WHERE a.sha256 = $1::bytea
