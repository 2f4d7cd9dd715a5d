"""The end of a tenant: nothing of it is left, whatever table or object, and its neighbour does not notice."""
import json
import subprocess

import psycopg
import pytest

from kit import Desk, broken_rules, problem, until
from stand import BIN, ENVIRONMENT, PASSWORD, email

TABLES = """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped"""


def tenant_id(db, name):
    row = db.execute("SELECT id FROM tenant WHERE name = %s", (name,)).fetchone()
    return row and row[0]


def content(db, tenant):
    """Every row of a tenant, as text, table by table."""
    rows = {}
    for table, in db.execute(TABLES).fetchall():
        found = sorted(r for r, in db.execute(f"SELECT to_json(t)::text FROM {table} t WHERE tenant_id = %s", (tenant,)))
        if found:
            rows[table] = found
    return rows


def files(server, tenant):
    root = server.directory / "blobs"
    return sorted(str(p.relative_to(root)) for kind in ("packs", "assets") for p in (root / kind / str(tenant)).rglob("*") if p.is_file())


def delete(server, name, *words):
    return subprocess.run([BIN / "annotate", "--db-owner", server.cluster.conninfo(server.database, "annotate_owner"), "--blobs", server.blobs,
                           "tenant", "delete", name, *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)


def fill(api, start_worker, tenant):
    """Some of everything that the API makes."""
    desk = Desk(api, tasks=6, tenant=tenant, workflow={"overlap": 1, "qa": {"percent": 100}})
    for _ in range(4):
        desk.annotate()
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject", comments=[{"text": "no"}])
    desk.verdict("qa", desk.claim("qa", "qa"), "accept")
    work = desk.claim("annotator2")
    desk("annotator2").ok("PUT", f"/v1/assignments/{work['id']}/draft", json={"result": []}, version=work["version"])
    desk("annotator").ok("POST", "/v1/assets", 201, data=tenant.encode() * 100)
    desk("annotator").ok("POST", "/v1/tokens", 201, json={"name": "t"}, headers={"Idempotency-Key": "k1"})
    desk("admin").ok("POST", "/v1/invites", 201, json={"email": f"i@{tenant}.example", "projects": [{"id": desk.project, "role": "qa"}]})
    desk("admin").ok("POST", f"{desk.path}/duplicate", 201, json={"name": "Twin", "with": "tasks"})
    start_worker("export", poll_ms=20)
    release = desk("manager").ok("POST", f"{desk.path}/releases", 202, json={"name": "r"})["id"]
    until(lambda: desk("manager").ok("GET", f"/v1/releases/{release}")["state"] == "ready")
    return desk


def test_a_tenant_is_deleted_with_all_it_has(api, db, server, start_worker):
    mine, theirs = fill(api, start_worker, "b"), fill(api, start_worker, "a")
    gone, stays = tenant_id(db, "b"), tenant_id(db, "a")
    before, objects = content(db, stays), files(server, stays)
    assert len(content(db, gone)) > 12 and len(files(server, gone)) >= 2 and len(objects) >= 2
    token = mine("annotator").ok("POST", "/v1/tokens", 201, json={"name": "u"})["token"]

    refused = delete(server, "b")
    assert refused.returncode == 2 and "--yes" in refused.stderr and files(server, gone)
    assert delete(server, "nobody", "--yes").returncode == 1

    done = delete(server, "b", "--yes")
    assert done.returncode == 0, done.stderr
    for said in ("users cut off: 9", "packs removed: ", "media removed: 1", "release_item: ", "label_version: ", "gone"):
        assert said in done.stderr, done.stderr
    assert content(db, gone) == {} and files(server, gone) == [] and tenant_id(db, "b") is None
    problem(mine("annotator").get("/v1/me"), 401)
    problem(api().get("/v1/me", headers={"Authorization": f"Bearer {token}"}), 401)
    problem(api().post("/v1/login", json={"email": email("annotator", "b"), "password": PASSWORD}), 401)

    assert content(db, stays) == before and files(server, stays) == objects
    assert theirs.progress()["total"] == 6 and broken_rules(db, server.directory / "blobs") == []
    assert delete(server, "b", "--yes").returncode == 1  # there is no such tenant
    with server.cluster.connect(server.database, "annotate_owner") as c:  # but what is ready ends with its tenant alone
        with pytest.raises(psycopg.Error, match="is ready and cannot change"), c.transaction():
            c.execute("SELECT set_config('app.tenant', %s, true)", (str(stays),))
            c.execute("DELETE FROM release WHERE state = 'ready'")


def test_stopped_half_way_it_goes_on(api, db, server, cluster):
    cluster.cli(server.database, "tenant", "create", "c")
    gone = tenant_id(db, "c")
    user, = db.execute("INSERT INTO app_user (tenant_id, email, name, disabled) VALUES (%s, 'x@c.example', 'X', true) RETURNING id", (gone,)).fetchone()
    project, = db.execute("INSERT INTO project (tenant_id, name, workflow, salt, created_by) VALUES (%s, 'P', '{}', 1, %s) RETURNING id",
                          (gone, user)).fetchone()
    db.execute("INSERT INTO label_config (tenant_id, project_id, version, xml, created_by) VALUES (%s, %s, 1, '<View/>', %s)", (gone, project, user))
    db.execute("""INSERT INTO task (tenant_id, project_id, state, data)
        SELECT %s, %s, 'annotate', %s FROM generate_series(1, 12000)""", (gone, project, json.dumps({"a": 1})))
    db.execute("INSERT INTO pack (tenant_id, id, bytes, documents) SELECT %s, gen_random_uuid(), 1, 1 FROM generate_series(1, 1200)", (gone,))
    # a statement of its way fails: what came before it is done, what comes after is not
    db.execute("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$")
    db.execute("CREATE TRIGGER no BEFORE DELETE ON project FOR EACH ROW EXECUTE FUNCTION no()")
    stopped = delete(server, "c", "--yes")
    assert stopped.returncode == 1 and "not now" in stopped.stderr, stopped.stderr
    assert "task: 12000 rows" in stopped.stderr and tenant_id(db, "c") == gone
    assert set(content(db, gone)) == {"project", "app_user"}
    db.execute("DROP FUNCTION no CASCADE")
    done = delete(server, "c", "--yes")
    assert done.returncode == 0, done.stderr
    assert "task" not in done.stderr and content(db, gone) == {} and tenant_id(db, "c") is None


def test_only_the_owner_can(cluster, database, db):
    for role in ("annotate_api", "annotate_worker"):
        with cluster.connect(database, role) as c, pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute("SELECT tenant_delete_rows('task', 1)")
