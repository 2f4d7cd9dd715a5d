-- Ends the logins and tokens of a part of the tenant's users, before the tenant is deleted; how many.
-- users: cli
WITH cut AS (
    UPDATE app_user SET disabled = true, token_epoch = token_epoch + 1
    WHERE id IN (SELECT id FROM app_user WHERE NOT disabled ORDER BY id LIMIT 5000)
    RETURNING id
)
SELECT count(*) FROM cut
