-- Media of an order that no other task names: their rows go, then their bytes are to (at most $3 at once). Those that have been stored
-- anew since are somebody else's. A dry run counts.
-- users: upkeep
WITH o AS MATERIALIZED (
    SELECT * FROM erasure WHERE tenant_id = $1::bigint AND id = $2::bigint
),
named AS MATERIALIZED (
    SELECT m.sha256, m.state, a.sha256 IS NOT NULL AS there, a.bytes FROM erasure_media m
    LEFT JOIN asset a ON a.tenant_id = $1 AND a.sha256 = m.sha256
    WHERE m.tenant_id = $1 AND m.erasure_id = $2 AND m.state IN ('named', 'taken')
    ORDER BY m.sha256 LIMIT (SELECT CASE WHEN dry_run THEN NULL ELSE $3::int END FROM o)
),
dropped AS (
    DELETE FROM asset a USING named n, o
    WHERE NOT o.dry_run AND n.state = 'named' AND a.tenant_id = $1 AND a.sha256 = n.sha256
    RETURNING a.bytes
),
used AS (
    INSERT INTO usage (tenant_id, name, delta) SELECT $1, 'media', -sum(bytes) FROM dropped HAVING sum(bytes) > 0
),
taken AS (
    UPDATE erasure_media m
    SET state = CASE WHEN n.state = 'named' THEN 'taken' ELSE 'gone' END
    FROM named n CROSS JOIN o
    WHERE NOT o.dry_run AND m.tenant_id = $1 AND m.erasure_id = $2 AND m.sha256 = n.sha256 AND (n.state = 'named' OR n.there)
),
counted AS (
    UPDATE erasure e SET media_n = e.media_n + (SELECT count(*) FROM named WHERE state = 'named' AND there)
    FROM o WHERE e.tenant_id = $1 AND e.id = o.id
)
SELECT encode(n.sha256, 'hex') FROM named n CROSS JOIN o WHERE NOT o.dry_run AND (n.state = 'named' OR NOT n.there)
