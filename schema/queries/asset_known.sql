-- Which of these hashes (hex) are media of the tenant.
-- users: server
SELECT a.sha256 FROM (SELECT DISTINCT decode(h, 'hex') AS sha256 FROM unnest($1::text[]) AS h) w JOIN asset a ON a.sha256 = w.sha256
