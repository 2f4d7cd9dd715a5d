"""Who may do what in the database, the workflow in its CHECK, and migrations that go forward only."""
import re
import subprocess

import psycopg
import pytest

from stand import BIN, ENVIRONMENT, ROOT, Server

TENANT_TABLES = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
      AND NOT c.relispartition ORDER BY 1"""


def tenant_tables(db):
    return [row[0] for row in db.execute(TENANT_TABLES)]


def may(db, role, right):
    return {row[0] for row in db.execute("""SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND has_table_privilege(%s, oid, %s)""", (role, right))}


def test_what_is_written_once_stays(db):
    """Events, labels, packs, media, verdicts: the server adds, and never changes or takes away. Nor does a worker."""
    immutable = {"event", "label_version", "pack", "asset", "review", "label_config"}
    immutable |= {row[0] for row in db.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")}
    for right in ("UPDATE", "DELETE", "TRUNCATE"):
        for role in ("annotate_api", "annotate_worker"):
            removed = {"pack", "asset"} if (role, right) == ("annotate_worker", "DELETE") else set()  # dead or erased ones
            assert may(db, role, right) & immutable == removed, f"{role}: {right}"
    # Where documents lie is no part of what they are: merging packs moves them.
    columns = db.execute("""SELECT table_name::text, column_name::text FROM information_schema.column_privileges
        WHERE grantee = 'annotate_worker' AND privilege_type = 'UPDATE' AND table_name IN ('label_version', 'pack') ORDER BY 1, 2""").fetchall()
    assert columns == [("label_version", "pack"), ("label_version", "pack_off"), ("pack", "dead_at"), ("pack", "dead_xid"), ("pack", "failed_at")]
    assert {"event", "label_version"} <= may(db, "annotate_api", "INSERT")


def test_the_server_deletes_little(db):
    assert may(db, "annotate_api", "DELETE") == {"project_member", "draft", "claim_cursor"}
    assert may(db, "annotate_api", "TRUNCATE") == may(db, "annotate_worker", "TRUNCATE") == set()
    assert "schema_migration" not in may(db, "annotate_api", "INSERT") | may(db, "annotate_api", "UPDATE")
    assert "tenant" not in may(db, "annotate_api", "INSERT") | may(db, "annotate_api", "UPDATE")


def test_a_worker_does_not_touch_work(db):
    for right in ("INSERT", "UPDATE", "DELETE"):
        assert may(db, "annotate_worker", right) & {"task", "label_version", "app_user", "api_token", "project", "project_member"} == set()


def test_nobody_makes_tables_but_the_owner(cluster, database):
    with cluster.connect(database, "annotate_api") as c, pytest.raises(psycopg.errors.InsufficientPrivilege):
        c.execute("CREATE TABLE x (a int)")


@pytest.fixture(scope="module")
def filled(cluster, database, db):
    """A row of tenant 1 in every tenant table, made without its constraints and triggers."""
    db.execute("SET session_replication_role = replica")
    for table in tenant_tables(db):
        columns = db.execute("""SELECT a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), a.attidentity <> '' OR a.atthasdef
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND (attnotnull OR attname = 'tenant_id')""", (table,)).fetchall()
        given = [(name, kind) for name, kind, has_default in columns if not has_default]
        given += [("text", "text")] if table == "task_field" else []  # a text or a number, by its CHECK
        values = {"bigint": "1", "integer": "1", "smallint": "1", "json": "'{}'", "uuid": "gen_random_uuid()", "boolean": "false",
                  "bytea": "decode(repeat('ab', 32), 'hex')", "bigint[]": "'{}'", "timestamp with time zone": "now()",
                  "double precision": "1", "numeric": "1", "text[]": "'{}'", "date": "now()"}
        words = {"name": "'tokens'" if table == "quota" else "'labels'", "stage": "'annotate'", "state": "'annotate'", "kind": "'label'" if table == "scrub_finding" else "'late'",
                 "verdict": "'accept'", "role": "'viewer'",
                 "action": "'release'", "from_state": "'none'", "to_state": "'none'", "email": "'x@y.example'", "media_type": "'text/plain'", "errors": "'skip'",
                 "what": "'missing'", "how": "'dismissed'", "path": "'data.x'"}
        db.execute(f"INSERT INTO {table} ({','.join(n for n, _ in given)}) VALUES "
                   f"({','.join(words.get(n, values.get(k, chr(39) + 'x' + chr(39))) for n, k in given)})")
    db.execute("RESET session_replication_role")
    return db


def test_no_row_of_another_tenant_is_seen(cluster, database, filled):
    readable = may(filled, "annotate_api", "SELECT")
    with cluster.connect(database, "annotate_api") as c:
        for tenant, sees in ((1, True), (2, False)):
            for table in tenant_tables(filled):
                if table not in readable:
                    continue
                with c.transaction():
                    c.execute("SELECT set_config('app.tenant', %s, true)", (str(tenant),))
                    n, = c.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = 1").fetchone()
                assert (n > 0) == sees, f"{table} of tenant 1 as {tenant}: {n} rows"


def test_an_unset_tenant_is_an_error(cluster, database, filled):
    readable = [t for t in tenant_tables(filled) if t in may(filled, "annotate_api", "SELECT")]
    assert len(readable) > 12
    for table in readable:
        with cluster.connect(database, "annotate_api") as c, pytest.raises(psycopg.Error):
            c.execute(f"SELECT count(*) FROM {table}").fetchone()


def test_no_row_goes_to_another_tenant(cluster, database, filled):
    with cluster.connect(database, "annotate_api") as c:
        for table in sorted(may(filled, "annotate_api", "UPDATE") & set(tenant_tables(filled))):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), c.transaction():
                c.execute("SELECT set_config('app.tenant', '1', true)")
                n = c.execute(f"UPDATE {table} SET tenant_id = 2").rowcount
                assert n, table


# ---- the workflow ----

def workflow(cluster, *words):
    return cluster.cli(cluster.template, "workflow", *words)


def test_the_check_on_event_is_the_workflow_table(cluster, db):
    """The database's own constraint, asked for every triple there could be."""
    table = [line.split("\t")[:3] for line in workflow(cluster, "--table").splitlines()]
    states, actions = sorted({s for row in table for s in (row[0], row[2])}), sorted({row[1] for row in table})
    assert len(table) > 50
    check, = db.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'event_workflow' AND conrelid = 'event'::regclass").fetchone()
    expression = re.fullmatch(r"CHECK \((.*)\)", check, re.S).group(1)
    allowed = db.execute(f"""SELECT from_state, action, to_state
        FROM (SELECT 1::bigint AS task_id) x, unnest(%s::task_state[]) from_state, unnest(%s::action[]) action, unnest(%s::task_state[]) to_state
        WHERE {expression.replace('%', '%%')}""", (states, actions, states)).fetchall()
    assert set(allowed) == {tuple(row) for row in table}


def test_the_migration_holds_the_table_as_it_is_printed(cluster):
    written = [found.group(1) for path in sorted((ROOT / "schema/migrations").glob("*.sql"))
               if (found := re.search(r"-- workflow begin.*?\n(.*?)-- workflow end", path.read_text(), re.S))]
    rows = re.findall(r"'\w+ \w+ \w+'", written[-1])
    assert len(rows) > 50 and rows == re.findall(r"'\w+ \w+ \w+'", workflow(cluster, "--sql"))


def test_an_illegal_move_cannot_commit(cluster, db):
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("""INSERT INTO event (tenant_id, project_id, task_id, task_version, action, from_state, to_state)
            VALUES (1, 1, 1, 2, 'accept', 'annotate', 'done')""")


# ---- migrations ----

@pytest.fixture
def own(cluster):
    name = cluster.database()
    yield name
    cluster.drop(name)


def migrate(cluster, database, *words):
    return subprocess.run([BIN / "annotate", "--db-owner", cluster.conninfo(database, "annotate_owner"), "migrate", *words], env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=60, check=False)


def snapshot(c):
    return c.execute("""SELECT relname, relkind, (SELECT array_agg(attname || format_type(atttypid, atttypmod) ORDER BY attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND attnum > 0) FROM pg_class c WHERE relnamespace = 'public'::regnamespace ORDER BY 1""").fetchall()


def test_applying_twice_changes_nothing(cluster, own):
    with cluster.connect(own) as c:
        before, rows = snapshot(c), c.execute("TABLE schema_migration").fetchall()
        done = migrate(cluster, own)
        assert done.returncode == 0 and "0 applied" in done.stdout, done.stdout + done.stderr
        assert snapshot(c) == before and c.execute("TABLE schema_migration").fetchall() == rows and rows
    assert migrate(cluster, own, "--status").returncode == 0


REFUSED = {"a changed text": ("UPDATE schema_migration SET sha256 = repeat('0', 64) WHERE number = 1", "differs from what was applied"),
           "a newer database": ("INSERT INTO schema_migration (number, name, sha256) VALUES (9999, 'later', '')", "use a newer one")}


@pytest.mark.parametrize("what", REFUSED)
def test_a_database_that_is_not_ours(cluster, own, what):
    sql, why = REFUSED[what]
    with cluster.connect(own) as c:
        c.execute(sql)
        before = snapshot(c)
        done = migrate(cluster, own)
        assert done.returncode != 0 and why in done.stderr, done.stderr
        assert snapshot(c) == before
    assert migrate(cluster, own, "--status").returncode != 0
    with pytest.raises(AssertionError, match="did not start"):
        Server(cluster, own)


def test_an_older_database_is_not_served(cluster, own):
    with cluster.connect(own) as c:
        c.execute("DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)")
    assert migrate(cluster, own, "--status").returncode != 0
    with pytest.raises(AssertionError, match="did not start"):
        Server(cluster, own)


def test_two_at_once(cluster, own):
    cluster.drop(own)
    cluster.create(own, "template0")
    cluster.script(own, (ROOT / "deploy/roles.sql").read_text())
    both = [subprocess.Popen([BIN / "annotate", "--db-owner", cluster.conninfo(own, "annotate_owner"), "migrate"], env=ENVIRONMENT,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [p.communicate(timeout=60) for p in both]
    assert [p.returncode for p in both] == [0, 0, 0], said
    assert sorted(out.split()[0] == "0" for out, _ in said) == [False, True, True]


def test_releases_there_were_get_the_config_they_were_built_under(cluster, own):
    """What the project had when the release was built; one that is being built gets it with its end. Nothing else of them changes."""
    with cluster.connect(own) as c:
        c.execute("""ALTER TABLE release DROP CONSTRAINT release_state_config, DROP COLUMN label_config_version;
            INSERT INTO tenant (name) VALUES ('t');
            INSERT INTO project (tenant_id, name, workflow, salt, created_by, label_config_version)
                SELECT id, 'p', '{}', 7, 1, 3 FROM tenant;
            INSERT INTO label_config (tenant_id, project_id, version, xml, created_by, created_at)
                SELECT p.tenant_id, p.id, v, '<View/>', 1, make_date(2026, v, 1) FROM project p, generate_series(1, 3) v;
            INSERT INTO release (tenant_id, project_id, name, state, split, salt, root, items, created_by, created_at, ready_at)
                SELECT p.tenant_id, p.id, r.name, r.state, '{}', '', CASE r.state WHEN 'ready' THEN sha256('') END, 0, 1, r.made, r.ready
                FROM project p, (VALUES ('first', 'ready', date '2026-01-15', date '2026-01-16'),
                    ('ordered before, built after', 'ready', date '2026-01-31', date '2026-02-02'),
                    ('last', 'ready', date '2026-03-05', date '2026-03-06'), ('older than all', 'ready', date '2025-01-01', NULL),
                    ('building', 'building', date '2026-03-05', NULL)) r (name, state, made, ready)""")
        before = c.execute("SELECT * FROM release ORDER BY id").fetchall()
        with cluster.connect(own, "annotate_owner") as owner, owner.transaction():  # that migration alone, whatever came after it
            owner.execute((ROOT / "schema/migrations/0018_release_config.sql").read_text())
        assert dict(c.execute("SELECT name, label_config_version FROM release").fetchall()) == {
            "first": 1, "ordered before, built after": 2, "last": 3, "older than all": 1, "building": None}
        assert [row[:len(before[0])] for row in c.execute("SELECT * FROM release ORDER BY id")] == before
        with pytest.raises(psycopg.Error, match="cannot change"):
            c.execute("UPDATE release SET label_config_version = 3 WHERE name = 'first'")
