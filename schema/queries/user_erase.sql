-- Orders the erasure of a person ($1). Unless it is a dry run ($6) who they were goes at once: name, address, login, tokens, invites;
-- upkeep takes the rest when everybody who may still write in their name has ended. The same order that is not carried out yet is that
-- one. No row: there is no such person.
-- users: server
WITH u AS MATERIALIZED (
    SELECT tenant_id, id, email FROM app_user WHERE id = $1::bigint FOR UPDATE
),
same AS MATERIALIZED (
    SELECT erasure_json(e) AS json FROM u JOIN erasure e ON e.user_id = u.id
    WHERE e.state <> 'done' AND e.labels = $4::bool AND e.force = $5::bool AND e.dry_run = $6::bool LIMIT 1
),
ordered AS (
    INSERT INTO erasure AS e (tenant_id, user_id, reason, labels, force, dry_run, created_by, due_at)
    SELECT tenant_id, id, $3::text, $4, $5, $6, $2::bigint, now() + CASE WHEN $6 THEN interval '0' ELSE interval '15 seconds' END
    FROM u WHERE NOT EXISTS (SELECT FROM same)
    RETURNING e.tenant_id, e.id, e.user_id, erasure_json(e) AS json
),
gone AS (
    UPDATE app_user a
    SET name = 'erased user ' || a.id, email = 'erased-' || a.id || '@erased.invalid', password = NULL, admin = false, disabled = true,
        token_epoch = a.token_epoch + 1, erasure = coalesce(a.erasure, o.id)
    FROM ordered o WHERE a.id = o.user_id AND NOT $6
),
revoked AS (
    UPDATE api_token t SET name = 'erased', revoked_at = coalesce(t.revoked_at, now())
    FROM ordered o WHERE t.user_id = o.user_id AND NOT $6
),
uninvited AS (
    UPDATE invite i
    SET email = 'erased-' || u.id || '@erased.invalid', name = NULL,
        revoked_at = CASE WHEN i.accepted_at IS NULL THEN coalesce(i.revoked_at, now()) ELSE i.revoked_at END
    FROM ordered o JOIN u ON u.id = o.user_id WHERE i.email = u.email AND NOT $6
),
unskilled AS (
    UPDATE project_member m SET skills = '{}' FROM ordered o WHERE m.user_id = o.user_id AND m.skills <> '{}' AND NOT $6
),
logged AS (
    INSERT INTO event (tenant_id, project_id, actor, action, from_state, to_state, detail)
    SELECT m.tenant_id, m.project_id, $2, 'erase', 'none', 'none',
           json_build_object('type', 'person_erased', 'user', o.user_id, 'erasure', o.id)
    FROM ordered o JOIN project_member m ON m.user_id = o.user_id WHERE NOT $6
)
SELECT json FROM same UNION ALL SELECT json FROM ordered
