-- A page of a project's tasks, by id; $2 NULL: of every state. One walk along the (state, id) index a state, merged.
-- users: server
SELECT t.id, t.state, t.version, t.data, t.external_id, t.priority, t.overlap, t.rework_count, to_json(t.created_at)
FROM (SELECT w.* FROM unnest(CASE WHEN $2::text IS NULL
            THEN ARRAY['prelabel', 'annotate', 'review', 'qa', 'done', 'skipped', 'archived'] ELSE ARRAY[$2] END) AS s(state)
      CROSS JOIN LATERAL (
          -- The state as a row comparison: as an equality it leads the planner to walk the tenant's primary key.
          SELECT k.tenant_id, k.id FROM task k
          WHERE k.project_id = $1::bigint AND (k.state, k.id) > (s.state, $3::bigint) AND k.state <= s.state
          ORDER BY k.state, k.id LIMIT $4::int) w
      ORDER BY w.id LIMIT $4) p
JOIN task t ON t.tenant_id = p.tenant_id AND t.id = p.id
ORDER BY t.id
