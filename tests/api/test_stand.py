"""The stand itself: what the other tests rely on."""
import time

from stand import ROLES, TENANTS


def test_server_answers(server):
    assert server.proc.poll() is None and not server.crash()


def test_logins_of_both_tenants(api):
    for tenant in ("a", "b"):
        for role in ("admin", "annotator"):
            me = api(role, tenant).ok("GET", "/v1/me")
            assert me["email"] == f"{role}@{tenant}.example" and me["tenant"]["name"] == tenant
    assert api().get("/v1/me").status_code == 401


def test_database_is_this_modules_own(db, cluster):
    assert db.execute("SELECT count(*) FROM app_user").fetchone()[0] == len(ROLES) * len(TENANTS)
    db.execute("INSERT INTO tenant (name) VALUES ('only here')")
    other = cluster.database()
    with cluster.connect(other) as c:
        assert c.execute("SELECT count(*) FROM tenant").fetchone()[0] == 2
    cluster.drop(other)


def test_project_with_all_roles(api):
    project = api.project()
    roles = {m["email"]: m["role"] for m in api("admin").ok("GET", f"/v1/projects/{project}/members")["members"]}
    assert roles["annotator2@a.example"] == "annotator" and roles["qa@a.example"] == "qa"
    assert "outsider@a.example" not in roles
    made = api.tasks(project, [{"image": "/x.png"}, {"image": "/y.png"}])
    assert made["created"] == 2


def test_killed_server_comes_back(start_server):
    server = start_server()
    server.kill()
    assert server.proc.poll() == -9
    server.start()
    assert server.proc.poll() is None


def test_workers_stay_up(start_worker):
    for name in ("upkeep", "export"):
        worker = start_worker(name, poll_ms=20)
        time.sleep(0.3)
        assert worker.proc.poll() is None, worker.text()
