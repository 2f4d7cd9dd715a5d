"""The schema itself: row-level security on every tenant table, tenant_id first in every key (docs/design.md §4)."""
import psycopg
import pytest

TENANT_TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped"""


def names(db, sql, *args):
    return {row[0] for row in db.execute(sql, args)}


def test_row_level_security_is_forced_on_every_tenant_table(db):
    tables = names(db, TENANT_TABLES)
    assert len(tables) > 10
    forced = names(db, f"SELECT oid::regclass::text FROM pg_class WHERE oid::regclass::text IN ({TENANT_TABLES}) "
                       "AND relrowsecurity AND relforcerowsecurity")
    assert tables - forced == set()


def test_roles_cannot_go_around_it(db):
    rows = dict(db.execute("SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname LIKE 'annotate\\_%'").fetchall())
    assert rows == {"annotate_owner": False, "annotate_api": False, "annotate_worker": True}
    owned = names(db, "SELECT relname FROM pg_class WHERE relowner = 'annotate_api'::regrole")
    assert owned == set()


def test_tenant_id_leads_every_key_of_a_tenant_table(db):
    """Primary and unique keys, so that the schema distributes by tenant; login alone looks across tenants, by address."""
    wrong = names(db, f"""
        SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid::regclass::text IN ({TENANT_TABLES}) AND (i.indisprimary OR i.indisunique) AND a.attname <> 'tenant_id'""")
    assert wrong <= {"app_user_email"}


def test_the_api_sees_its_tenant_alone(cluster, database):
    with cluster.connect(database, "annotate_api") as c:
        with c.transaction():
            c.execute("SELECT set_config('app.tenant', '1', true)")
            mine = names(c, "SELECT DISTINCT tenant_id FROM app_user")
        assert mine == {1}
        with pytest.raises(psycopg.Error):  # nobody said which tenant: an error, not everything
            c.execute("SELECT count(*) FROM app_user").fetchone()


def test_the_api_cannot_write_for_another_tenant(cluster, database):
    with cluster.connect(database, "annotate_api") as c, pytest.raises(psycopg.errors.InsufficientPrivilege):
        with c.transaction():
            c.execute("SELECT set_config('app.tenant', '1', true)")
            c.execute("INSERT INTO app_user (tenant_id, email, name) VALUES (2, 'x@b.example', 'X')")


def test_events_are_append_only_for_the_api(cluster, database):
    for sql in ("UPDATE event SET action = action", "DELETE FROM event", "TRUNCATE event"):
        with cluster.connect(database, "annotate_api") as c, pytest.raises(psycopg.errors.InsufficientPrivilege):
            with c.transaction():
                c.execute("SELECT set_config('app.tenant', '1', true)")
                c.execute(sql)
