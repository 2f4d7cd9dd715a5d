-- Opens every sync group that touches tenant tables: row-level security for this transaction only (I8).
-- users: server stream upkeep export cli
SELECT set_config('app.tenant', $1::text, true)
