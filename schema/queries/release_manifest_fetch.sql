-- The next piece of release_manifest.
-- users: export
FETCH 1000 FROM release_manifest
