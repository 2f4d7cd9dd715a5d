-- What the headers of media say (storage/facts.h); NULL: not known. Media that were there before have none of the new ones.
ALTER TABLE asset ADD COLUMN duration_ms bigint, ADD COLUMN sample_rate int, ADD COLUMN channels int, ADD COLUMN pages int;

-- Uploads in parts: a row for each upload that is under way, and one for each part of it. The parts are blobs under
-- uploads/TENANT/UPLOAD/N.SHA256; a part's row comes before its blob, so that upkeep finds all there is to remove.
CREATE TABLE upload (
    tenant_id  bigint NOT NULL REFERENCES tenant,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    user_id    bigint NOT NULL,
    bytes      bigint NOT NULL CHECK (bytes > 0),
    sha256     bytea CHECK (length(sha256) = 32), -- what the whole must have, where the client said so
    asset      bytea CHECK (length(asset) = 32),  -- what it has become
    removing   boolean NOT NULL DEFAULT false,    -- given up: upkeep removes it, and nobody writes to it any more
    created_at timestamptz NOT NULL DEFAULT now(),
    touched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES app_user
);
CREATE INDEX upload_open ON upload (tenant_id, user_id) INCLUDE (bytes) WHERE asset IS NULL;
CREATE INDEX upload_touched ON upload (touched_at);

CREATE TABLE upload_part (
    tenant_id bigint NOT NULL,
    upload_id bigint NOT NULL,
    n         int NOT NULL CHECK (n BETWEEN 1 AND 10000),
    sha256    bytea NOT NULL CHECK (length(sha256) = 32),
    bytes     bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    stored    boolean NOT NULL DEFAULT false, -- its blob is durable
    PRIMARY KEY (tenant_id, upload_id, n, sha256),
    FOREIGN KEY (tenant_id, upload_id) REFERENCES upload
);
CREATE UNIQUE INDEX upload_part_stored ON upload_part (tenant_id, upload_id, n) INCLUDE (bytes) WHERE stored;

CREATE FUNCTION upload_json(u upload) RETURNS json LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT json_build_object('id', u.id, 'bytes', u.bytes, 'sha256', encode(u.sha256, 'hex'), 'expires_at', u.touched_at + interval '24 hours',
        'parts', coalesce((SELECT json_agg(json_build_object('n', p.n, 'bytes', p.bytes, 'sha256', encode(p.sha256, 'hex')) ORDER BY p.n)
            FROM upload_part p WHERE p.tenant_id = u.tenant_id AND p.upload_id = u.id AND p.stored), '[]'),
        'asset', (SELECT json_build_object('sha256', encode(a.sha256, 'hex'), 'bytes', a.bytes, 'media_type', a.media_type, 'width', a.width,
            'height', a.height, 'url', '/v1/assets/' || encode(a.sha256, 'hex'))
            FROM asset a WHERE a.tenant_id = u.tenant_id AND a.sha256 = u.asset))
$$;
REVOKE ALL ON FUNCTION upload_json(upload) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_json(upload) TO annotate_api;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['upload', 'upload_part'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_only ON %I USING (tenant_id = current_setting(''app.tenant'')::bigint)'
                       ' WITH CHECK (tenant_id = current_setting(''app.tenant'')::bigint)', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON upload, upload_part TO annotate_api;
GRANT SELECT, UPDATE, DELETE ON upload, upload_part TO annotate_worker;
