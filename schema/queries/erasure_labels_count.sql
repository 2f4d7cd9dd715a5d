-- Counts what a step of erasure_labels found: $3 versions to erase (of a dry run only; erasure_mark counts what it erases), $4 left.
-- users: upkeep
UPDATE erasure SET labels_n = labels_n + $3::bigint, kept_n = kept_n + $4::bigint WHERE tenant_id = $1::bigint AND id = $2::bigint
