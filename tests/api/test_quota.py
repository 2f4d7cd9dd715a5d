"""What a tenant may use: told, held exactly, and never against what a person typed (docs/api.md, Quotas)."""
import json
import threading

import pytest

from kit import Desk, choice, problem
from stand import ROOT, Client, email

TENANT = "b"
LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def quota(cluster, server):
    """quota(tasks=5, …); all is taken away at the end."""
    def set(**limits):
        words = [w for name, most in limits.items() for w in (f"--{name}", str(most))]
        rows = [line.split("\t") for line in cluster.cli(server.database, "tenant", "quota", TENANT, *words).splitlines()]
        return {name: (most, used) for name, most, used in rows}

    yield set
    set(**dict.fromkeys(("projects", "users", "tasks", "bytes", "tokens"), "none"))


def usage(api):
    return {q["quota"]: q for q in api("admin", TENANT).ok("GET", "/v1/tenant/usage")["quotas"]}


def used(api, name):
    return usage(api)[name]["used"]


def refused(answer, name, limit, used):
    body = problem(answer, 403, "quota-exceeded")
    assert (body["quota"], body["limit"], body["used"]) == (name, limit, used), body
    return body


def counted(db):
    """The same by counting."""
    row = db.execute("""SELECT (SELECT count(*) FROM project p WHERE p.tenant_id = t.id AND archived_at IS NULL),
        (SELECT count(*) FROM app_user u WHERE u.tenant_id = t.id AND NOT disabled), (SELECT count(*) FROM task k WHERE k.tenant_id = t.id),
        (SELECT coalesce(sum(bytes), 0) FROM asset a WHERE a.tenant_id = t.id) + (SELECT coalesce(sum(bytes), 0) FROM pack p WHERE p.tenant_id = t.id)
        FROM tenant t WHERE name = %s""", (TENANT,)).fetchone()
    return dict(zip(("projects", "users", "tasks", "bytes"), map(int, row)))


def exact(api, db):
    told = usage(api)
    assert {name: told[name]["used"] for name in ("projects", "users", "tasks", "bytes")} == counted(db)


def items(n, first=0, **more):
    return [{"data": {"image": f"/{i}.png"}, **more} for i in range(first, first + n)]


def send(desk, what, errors=None):
    body = "\n".join(map(json.dumps, what)).encode()
    return desk("manager").post(f"{desk.path}/tasks" + (f"?errors={errors}" if errors else ""), data=body, headers=LINES)


def test_the_sums_are_what_there_is(api, db):
    desk = Desk(api, tasks=7, tenant=TENANT)
    desk.annotate()
    desk("annotator").ok("POST", "/v1/assets", 201, data=b"hello")
    desk("annotator").ok("POST", "/v1/assets", 201, data=b"hello")  # once
    send(desk, items(2, annotations=[{"result": choice("cat")}]))
    exact(api, db)
    admin = desk("admin")
    admin.ok("POST", f"{desk.path}/archive", version=admin.ok("GET", desk.path)["version"])
    exact(api, db)
    with db.transaction():  # folding leaves the sums alone
        before = usage(api)
        db.execute((ROOT / "schema/queries/usage_fold.sql").read_text().replace("$1", "0"))
        assert db.execute("SELECT count(*) - count(DISTINCT (tenant_id, name)) FROM usage").fetchone()[0] <= 5  # the newest stays apart
    assert usage(api) == before


def test_who_is_told(api):
    assert set(usage(api)) == {"projects", "users", "tasks", "bytes", "tokens"}
    assert all(q["limit"] is None for q in usage(api).values())
    problem(api("manager", TENANT).get("/v1/tenant/usage"), 403, "forbidden")
    theirs = api("admin", "a").ok("GET", "/v1/tenant/usage")["quotas"]
    assert theirs != list(usage(api).values())


def test_the_command(api, quota, cluster, server):
    rows = quota(tasks=12, users="none", bytes=1 << 40)
    assert rows["tasks"][0] == "12" and rows["users"][0] == "none" and rows["tokens"] == ("none", "-")
    assert usage(api)["tasks"]["limit"] == 12 and usage(api)["bytes"]["limit"] == 1 << 40
    assert {q["limit"] for q in api("admin", "a").ok("GET", "/v1/tenant/usage")["quotas"]} == {None}  # another tenant's
    for bad in ("-1", "x", str(1 << 53), ""):
        cluster.cli(server.database, "tenant", "quota", TENANT, "--tasks", bad, ok=False)
        assert usage(api)["tasks"]["limit"] == 12
    assert "--tokens" in cluster.cli(server.database, "tenant", "--help")


def test_projects(api, quota, db):
    admin, desk = api("admin", TENANT), Desk(api, tasks=0, tenant=TENANT)
    n = used(api, "projects")
    quota(projects=n)
    refused(admin.post("/v1/projects", json={"name": "P", "template": "ner"}), "projects", n, n)
    refused(admin.post(f"{desk.path}/duplicate", json={"name": "D", "with": "settings"}), "projects", n, n)
    version = admin.ok("POST", f"{desk.path}/archive", version=admin.ok("GET", desk.path)["version"])["version"]
    other = Desk(api, tasks=0, tenant=TENANT)  # takes its place
    refused(admin.post(f"{desk.path}/restore", version=version), "projects", n, n)
    quota(projects=0)  # what is there stays
    assert other.progress()["total"] == 0
    exact(api, db)


def test_users(api, quota, db):
    admin = api("admin", TENANT)
    n = used(api, "users")
    quota(users=n + 1)
    made = admin.ok("POST", "/v1/users", 201, json={"email": "q1@b.example", "name": "Q", "password": "correct horse"})
    body = {"email": "q2@b.example", "name": "Q", "password": "correct horse"}
    refused(admin.post("/v1/users", json=body), "users", n + 1, n + 1)
    token = admin.ok("POST", "/v1/invites", 201, json={"email": "q3@b.example", "name": "Q"})["token"]
    refused(api().post("/v1/invites/accept", json={"token": token, "name": "Q", "password": "correct horse"}), "users", n + 1, n + 1)
    admin.ok("PATCH", f"/v1/users/{made['id']}", json={"disabled": True})
    admin.ok("POST", "/v1/users", 201, json=body)
    refused(admin.patch(f"/v1/users/{made['id']}", json={"disabled": False}), "users", n + 1, n + 1)
    exact(api, db)


def test_tokens_of_a_user(api, quota):
    client = api("viewer", TENANT)
    quota(tokens=2)
    ids = [client.ok("POST", "/v1/tokens", 201, json={"name": "t"})["id"] for _ in range(2)]
    refused(client.post("/v1/tokens", json={"name": "t"}), "tokens", 2, 2)
    api("qa", TENANT).ok("POST", "/v1/tokens", 201, json={"name": "t"})  # another user's
    client.ok("DELETE", f"/v1/tokens/{ids[0]}", 204)
    client.ok("POST", "/v1/tokens", 201, json={"name": "t"})


def test_an_import_that_does_not_fit_writes_nothing(api, quota, db):
    desk = Desk(api, tasks=3, tenant=TENANT)
    n = used(api, "tasks")
    quota(tasks=n + 10)
    body = refused(send(desk, items(11)), "tasks", n + 10, n)
    assert body["created"] == 0 and desk.progress()["total"] == 3
    assert send(desk, items(10)).status_code == 201
    refused(send(desk, items(1)), "tasks", n + 10, n + 10)
    exact(api, db)


def test_what_is_there_already_needs_no_room(api, quota):
    desk = Desk(api, tasks=0, tenant=TENANT)
    named = [{"data": {"image": "/x"}, "external_id": f"n{i}"} for i in range(6)]
    n = used(api, "tasks")
    quota(tasks=n + 6)
    assert send(desk, named).json()["created"] == 6
    again = send(desk, named)  # full, and nothing new
    assert again.status_code == 201 and again.json()["skipped"] == 6
    refused(send(desk, named + items(1)), "tasks", n + 6, n + 6)


def test_items_beyond_the_quota_are_reported(api, quota, db):
    desk = Desk(api, tasks=0, tenant=TENANT)
    n = used(api, "tasks")
    quota(tasks=n + 4)
    answer = send(desk, items(3) + [{"data": {}}] + items(3), errors="skip")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["created"], body["failed"]) == (4, 3)
    assert [(e["item"], e["line"], e["error"]) for e in body["errors"]] == [
        (3, 4, "invalid"), (5, 6, "quota-exceeded"), (6, 7, "quota-exceeded")]
    stopped = refused(send(desk, items(2), errors="stop"), "tasks", n + 4, n + 4)
    assert stopped["created"] == 0 and stopped["item"] == 0
    exact(api, db)


def test_more_than_a_chunk(api, quota, db):
    desk = Desk(api, tasks=0, tenant=TENANT)
    n = used(api, "tasks")
    quota(tasks=n + 4500)
    body = send(desk, items(5000), errors="skip").json()
    assert (body["created"], body["failed"]) == (4500, 500)
    assert body["errors"][0]["item"] == 4500 and len(body["errors"]) == 100
    exact(api, db)


def test_imports_at_once_share_the_room(api, quota, db, server):
    desk = Desk(api, tasks=0, tenant=TENANT)
    n = used(api, "tasks")
    quota(tasks=n + 50)
    answers = []

    def one():
        client = Client(server.url)
        client.headers["Authorization"] = desk("manager").headers["Authorization"]
        answers.append(client.post(f"{desk.path}/tasks", json=items(10)))
    threads = [threading.Thread(target=one) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted({a.status_code for a in answers}) == [201, 403], [a.text for a in answers]
    assert sum(a.status_code == 201 for a in answers) == 5
    assert used(api, "tasks") == n + 50
    exact(api, db)


def test_stored_bytes(api, quota, db):
    client, desk = api("annotator", TENANT), Desk(api, tasks=1, tenant=TENANT)
    n = used(api, "bytes")
    quota(bytes=n + 1000)
    refused(client.post("/v1/assets", data=b"x" * 1001), "bytes", n + 1000, n)
    refused(client.post("/v1/assets", data=(b"y" * 300 for _ in range(4))), "bytes", n + 1000, n)  # no length told
    client.ok("POST", "/v1/assets", 201, data=b"x" * 900)
    refused(client.post("/v1/assets", data=b"z" * 200), "bytes", n + 1000, n + 900)
    labelled = items(2, annotations=[{"result": choice("cat")}])
    refused(send(desk, labelled), "bytes", n + 1000, n + 900)
    assert desk.progress()["total"] == 1
    quota(bytes=n + 900)
    body = send(desk, labelled + items(1), errors="skip").json()  # a task without labels takes no bytes
    assert (body["created"], [e["error"] for e in body["errors"]]) == (1, ["quota-exceeded"] * 2)
    exact(api, db)


def test_what_a_person_typed_is_taken(api, quota, db):
    desk = Desk(api, tasks=2, tenant=TENANT)
    work, more = desk.claims("annotator", count=2)
    quota(projects=0, users=0, tasks=0, bytes=0, tokens=0)
    desk("annotator").ok("PUT", f"/v1/assignments/{work['id']}/draft", json={"result": choice("dog")}, version=work["version"])
    desk.submit("annotator", work)
    desk.done("annotator", more, "skip", {"reason": "blurred"})
    judge = desk.claim("reviewer", "review")
    desk.verdict("reviewer", judge, "fix", result=choice("dog"), comments=[{"text": "a dog"}])
    desk("viewer").ok("POST", f"/v1/tasks/{desk.tasks[0]}/comments", 201, json={"text": "indeed"})
    assert desk.state() == "done"
    Client(api.server.url).login(email("viewer", TENANT), "correct horse battery")
    exact(api, db)


def test_the_copy_of_a_project(api, quota, db):
    desk = Desk(api, tasks=5, tenant=TENANT)
    admin, n = desk("admin"), used(api, "tasks")
    copy = admin.ok("POST", f"{desk.path}/duplicate", 201, json={"name": "C", "with": "tasks"})["id"]
    quota(tasks=n + 4)
    refused(admin.post(f"/v1/projects/{copy}/copy"), "tasks", n + 4, n)
    quota(tasks=n + 5)
    assert admin.ok("POST", f"/v1/projects/{copy}/copy")["copied"] == 5
    exact(api, db)
