-- How many migrations the database has. Through query_to_xml, because a prepared statement cannot name a table that a
-- database without any migration lacks.
-- users: cli
SELECT CASE WHEN to_regclass('schema_migration') IS NULL THEN 0
    ELSE (xpath('//n/text()', query_to_xml('SELECT count(*) AS n FROM schema_migration', false, true, '')))[1]::text::int
    END
