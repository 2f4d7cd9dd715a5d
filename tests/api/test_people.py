"""Users, projects, members and their settings as resources; answers for operators."""
import pytest

from kit import Desk, choice, people, problem
from stand import CHOICES, PASSWORD, email


def walk(client, path, member, limit):
    """All pages of a list."""
    rows, after = [], 0
    while after is not None:
        page = client.ok("GET", f"{path}?limit={limit}&after={after}")
        assert len(page[member]) <= limit
        rows += page[member]
        after = page["next"]
    return rows


def test_login_and_me(api):
    answer = api().login(email("annotator").upper(), PASSWORD)
    assert answer["user"]["id"] == api("annotator").user["id"] and answer["user"]["admin"] is False
    desk = Desk(api, tasks=0)
    me = api("annotator").ok("GET", "/v1/me")
    assert {"id": desk.project, "name": "Animals", "role": "annotator"} in me["projects"]
    assert api("outsider").ok("GET", "/v1/me")["projects"] == [] and api("admin").ok("GET", "/v1/me")["admin"] is True


def test_users_are_made_listed_and_paged(api):
    made = [api("admin").ok("POST", "/v1/users", 201, json={"email": f"new{n}@a.example", "name": "Ünï “N”", "password": "a" * 8}) for n in range(5)]
    listed = walk(api("admin"), "/v1/users", "users", 4)
    ids = [user["id"] for user in listed]
    assert ids == sorted(set(ids)) and {user["id"] for user in made} <= set(ids)
    assert all(user["email"].endswith("@a.example") for user in listed)  # nobody of tenant b
    client = api()
    assert client.login("new3@a.example", "a" * 8)["user"] == made[3]
    boss = api("admin").ok("POST", "/v1/users", 201, json={"email": "boss@a.example", "name": "B", "password": "a" * 511, "admin": True})
    assert boss["admin"] and api().login("boss@a.example", "a" * 511)["user"]["admin"] is True


def test_projects_are_listed_to_their_members(api):
    mine = [Desk(api, tasks=0).project for _ in range(5)]
    alone = api("admin").ok("POST", "/v1/projects", 201, json={"name": "Alone", "label_config": CHOICES})
    assert alone["role"] == "manager" and alone["version"] == 1
    ids = [p["id"] for p in walk(api("annotator"), "/v1/projects", "projects", 2)]
    assert ids == sorted(set(ids)) and set(mine) <= set(ids) and alone["id"] not in ids
    assert alone["id"] in [p["id"] for p in walk(api("admin"), "/v1/projects", "projects", 3)]
    assert api("outsider").ok("GET", "/v1/projects")["projects"] == []
    assert api("admin", "b").get(f"/v1/projects/{alone['id']}").status_code == 404


def test_settings_keep_what_they_do_not_name(api):
    desk = Desk(api, tasks=0, workflow={"overlap": 2, "review": {"mode": "sample", "percent": 12.5}})
    project = desk("viewer").ok("GET", desk.path)
    assert project["workflow"]["overlap"] == 2 and project["workflow"]["review"] == {"mode": "sample", "percent": 12.5}
    assert project["workflow"]["max_rework"] == 3 and project["workflow"]["lease_s"]["annotate"] == 600
    changed = desk("manager").ok("PATCH", desk.path, json={"name": "Ñew"}, version=1)
    assert changed["name"] == "Ñew" and changed["version"] == 2 and changed["workflow"] == project["workflow"]
    changed = desk("manager").ok("PATCH", desk.path, json={"workflow": {"overlap": 3}}, version=2)
    assert changed["workflow"]["overlap"] == 3 and changed["version"] == 3
    for role in ("viewer", "annotator"):  # on every thread, at once
        assert {desk(role).ok("GET", desk.path)["version"] for _ in range(8)} == {3}
    assert desk("viewer").get(desk.path).headers["ETag"] == '"3"'


def test_new_settings_hold_for_what_comes(api):
    desk = Desk(api, tasks=1)
    first = desk.claim("annotator")
    desk("manager").ok("PATCH", desk.path, json={"workflow": {"review": {"mode": "none"}, "lease_s": {"annotate": 5}}}, version=1)
    assert desk.submit("annotator", first)["task"]["state"] == "done"
    api.tasks(desk.project, [{"image": "/x.png"}])
    work = desk.claim("annotator")
    renewed = desk.done("annotator", work, "heartbeat", {"lease_s": 86400})
    assert renewed["lease_expires_at"][:10] > work["lease_expires_at"][:10]


def test_members(api, db, server):
    desk = Desk(api, tasks=0)
    people(db, server, api, desk.project, 7)
    listed = walk(desk("viewer"), f"{desk.path}/members", "members", 3)
    assert len(listed) == len({m["user"] for m in listed}) == 7 + 8
    outsider = desk("outsider").user["id"]
    member = desk("manager").ok("PUT", f"{desk.path}/members/{outsider}", json={"role": "reviewer"})
    assert (member["user"], member["role"]) == (outsider, "reviewer")
    desk("outsider").ok("GET", f"{desk.path}/tasks")
    desk("manager").ok("PUT", f"{desk.path}/members/{outsider}", json={"role": "annotator"})
    problem(desk("outsider").get(f"{desk.path}/tasks"), 403)
    desk("manager").ok("DELETE", f"{desk.path}/members/{outsider}", 204)
    problem(desk("manager").delete(f"{desk.path}/members/{outsider}"), 404)
    problem(desk("outsider").get(desk.path), 404)
    problem(desk("manager").put(f"{desk.path}/members/{1 << 52}", json={"role": "viewer"}), 404)


def test_heartbeats_for_many(api):
    desk = Desk(api, tasks=4)
    work = desk.claims("annotator", count=3)
    other = desk.claim("annotator2")
    asked = [{"id": w["id"], "version": w["version"]} for w in work] + [{"id": other["id"], "version": other["version"]},
             {"id": work[0]["id"], "version": 99}, {"id": 1 << 52, "version": 1}]
    results = desk("annotator").ok("POST", "/v1/heartbeats", json={"assignments": asked, "lease_s": 7200})["results"]
    assert [r["id"] for r in results] == [a["id"] for a in asked]
    assert ["lease_expires_at" in r for r in results] == [True] * 3 + [False] * 3
    assert all(r["lease_expires_at"] > w["lease_expires_at"] for r, w in zip(results, work))
    assert desk("annotator").ok("POST", "/v1/heartbeats", json={"assignments": []})["results"] == []


def test_drafts_are_ones_own_and_outlive_the_lease(api):
    desk = Desk(api)
    work = desk.claim("annotator")
    path = f"/v1/assignments/{work['id']}/draft"
    half = [{"id": "x", "value": {"choices": ["no such choice"]}}, {"anything": None}]
    desk("annotator").ok("PUT", path, json={"result": half}, version=work["version"])
    assert desk("annotator").ok("GET", path)["result"] == half
    problem(desk("annotator2").get(path), 404)
    desk.done("annotator", work, "release")
    taken = desk.claim("annotator2")
    assert taken["draft"] is None  # not another's
    problem(desk("annotator").put(path, json={"result": []}, version=work["version"]), 412, "version-mismatch")
    assert desk("annotator").ok("GET", path)["result"] == half and desk("annotator").ok("GET", path)["version"] == work["version"]
    desk.done("annotator2", taken, "release")
    assert desk.claim("annotator")["draft"]["result"] == half


def test_progress_adds_up(api):
    desk = Desk(api, tasks=6, workflow={"skip_limit": 1})
    for _ in range(3):
        desk.annotate()
    desk.done("annotator", desk.claim("annotator"), "skip")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    desk.move("archive", desk.tasks[5])
    progress = desk.progress()
    assert progress["tasks"] == {"prelabel": 0, "annotate": 1, "review": 2, "qa": 0, "done": 1, "skipped": 1, "archived": 1}
    assert progress["total"] == 6 and progress["labels"] == {"submission": 3}
    assert progress["actions"] == {"import": 6, "submit": 3, "skip": 1, "accept": 1, "archive": 1}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/metrics"])
def test_operators_need_no_token(api, path):
    assert api().get(path).status_code == 200


def test_metrics_tell_of_requests_and_of_no_tenant(api):
    desk = Desk(api)
    desk.submit("annotator", desk.claim("annotator"), choice("cat"))
    text = api().get("/metrics").text
    assert "submit" in text and "claim" in text and "a.example" not in text and "Animals" not in text
