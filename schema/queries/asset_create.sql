-- Registers stored media; the same content is one row.
-- users: server
INSERT INTO asset (tenant_id, sha256, media_type, bytes, width, height, duration_ms, sample_rate, channels, pages)
VALUES (current_setting('app.tenant')::bigint, $1::bytea, $2::text, $3::bigint, $4::int, $5::int, $6::bigint, $7::int, $8::int, $9::int)
ON CONFLICT DO NOTHING
