-- A page of a project's tasks, by id, as a new label config is held against them: the head label's place in its pack, then the drafts
-- (no place, but their text). `partial`: it may be unfinished. $4: with the task's data. A task without either has a row, too: the
-- next page begins behind the last. State and id are met as one row: an equal state would let the planner walk all ids instead.
-- users: server
WITH page AS MATERIALIZED (
    SELECT w.tenant_id, w.id FROM unnest(ARRAY['prelabel', 'annotate', 'review', 'qa', 'done', 'skipped', 'archived']) AS s(state)
    CROSS JOIN LATERAL (
        SELECT k.tenant_id, k.id FROM task k WHERE k.project_id = $1::bigint AND (k.state, k.id) > (s.state, $2::bigint) AND k.state <= s.state
        ORDER BY k.state, k.id LIMIT $3::int) w
    ORDER BY w.id LIMIT $3
)
SELECT p.id, l.sha256, l.bytes, l.pack, l.pack_off, l.kind = 'prelabel',
       CASE WHEN $4::bool AND l.id IS NOT NULL THEN t.data END, NULL::json
FROM page p JOIN task t ON t.tenant_id = p.tenant_id AND t.id = p.id
LEFT JOIN label_version l ON l.tenant_id = p.tenant_id AND l.id = t.head_label AND l.pack <> '00000000-0000-0000-0000-000000000000' -- not erased
UNION ALL
SELECT p.id, NULL, NULL, NULL, NULL, true,
       CASE WHEN $4 THEN (SELECT t.data FROM task t WHERE t.tenant_id = p.tenant_id AND t.id = p.id) END, d.result
FROM page p
CROSS JOIN LATERAL (SELECT a.id FROM assignment a WHERE a.tenant_id = p.tenant_id AND a.task_id = p.id OFFSET 0) a
CROSS JOIN LATERAL (SELECT d.result FROM draft d WHERE d.tenant_id = p.tenant_id AND d.assignment_id = a.id OFFSET 0) d
ORDER BY 1
