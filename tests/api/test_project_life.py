"""Projects from templates, duplicates, archived projects."""
import pytest

from kit import Desk, broken_rules, choice, problem
from stand import CHOICES


def templates(api):
    return api("annotator").ok("GET", "/v1/templates")["templates"]


def all_tasks(client, project):
    rows, after = [], 0
    while after is not None:
        page = client.ok("GET", f"/v1/projects/{project}/tasks?limit=500&after={after}")
        rows, after = rows + page["tasks"], page["next"]
    return rows


# ---- templates ----

def test_every_template_makes_a_project(api):
    names = [t["name"] for t in templates(api)]
    assert {"classification", "bounding-boxes", "polygons", "ner", "transcription", "ranking"} <= set(names) and len(set(names)) == len(names)
    for template in templates(api):
        project = api("admin").ok("POST", "/v1/projects", 201, json={"name": "T", "template": template["name"]})
        assert project["label_config"] == template["label_config"]
        for key, value in template["workflow"].items():
            said = project["workflow"][key]
            assert (value.items() <= said.items()) if isinstance(value, dict) else said == value, key


def test_what_is_given_goes_before_the_template(api):
    project = api("admin").ok("POST", "/v1/projects", 201, json={"name": "T", "template": "ner", "label_config": CHOICES, "workflow": {"overlap": 3}})
    assert project["label_config"] == CHOICES and project["workflow"]["overlap"] == 3
    problem(api("admin").post("/v1/projects", json={"name": "T", "template": "nothing"}), 422, "invalid", "/template")
    problem(api("admin").post("/v1/projects", json={"name": "T"}), 422, "invalid", "/label_config")
    problem(api("manager").post("/v1/projects", json={"name": "T", "template": "ner"}), 403)


# ---- duplicates ----

def duplicate(desk, what, name="Twin", role="admin", status=201):
    return desk(role).ok("POST", f"{desk.path}/duplicate", status, json={"name": name, "with": what})


def test_a_duplicate_has_the_settings_and_nobody(api):
    desk = Desk(api, tasks=2, workflow={"overlap": 2, "review": {"mode": "sample", "percent": 7}})
    twin = duplicate(desk, "settings")
    mine = desk("admin").ok("GET", desk.path)
    assert twin["id"] != desk.project and twin["name"] == "Twin" and twin["version"] == twin["label_config_version"] == 1
    assert twin["workflow"] == mine["workflow"] and twin["label_config"] == mine["label_config"] and not twin["archived"]
    assert all_tasks(api("admin"), twin["id"]) == []
    assert [m["user"] for m in api("admin").ok("GET", f"/v1/projects/{twin['id']}/members")["members"]] == [api("admin").user["id"]]
    problem(desk("manager").get(f"/v1/projects/{twin['id']}"), 404)
    assert api("admin").ok("POST", f"/v1/projects/{twin['id']}/copy") == {"copied": 0, "done": True}
    for role in ("manager", "annotator", "viewer"):
        problem(desk(role).post(f"{desk.path}/duplicate", json={"name": "X", "with": "settings"}), 403)
    problem(api("outsider").post(f"{desk.path}/duplicate", json={"name": "X", "with": "settings"}), 404)
    problem(api("admin", "b").post(f"{desk.path}/duplicate", json={"name": "X", "with": "settings"}), 404)


@pytest.mark.parametrize("body, pointer", [({"with": "tasks"}, "/name"), ({"name": "X"}, "/with"), ({"name": "X", "with": "labels"}, "/with"),
                                           ({"name": "", "with": "tasks"}, "/name"), ({"name": "X", "with": "tasks", "zz": 1}, "/zz")])
def test_bad_duplicates(api, body, pointer):
    desk = Desk(api, tasks=0)
    problem(desk("admin").post(f"{desk.path}/duplicate", json=body), 422, "invalid", pointer)


def test_tasks_come_over_as_new_ones(api, db):
    desk = Desk(api, tasks=0, workflow={"review": {"mode": "none"}})
    items = [{"data": {"image": f"/{n}.png", "n": 1.10 if n else 10**15}, "external_id": f"x{n}", "priority": n, "meta": {"k": n}} for n in range(5)]
    made = api.tasks(desk.project, items)
    desk.tasks = list(range(made["first_id"], made["last_id"] + 1))
    desk.annotate()
    desk.move("archive", desk.tasks[0])
    twin = duplicate(desk, "tasks")
    assert all_tasks(api("admin"), twin["id"]) == []
    assert api("admin").ok("POST", f"/v1/projects/{twin['id']}/copy") == {"copied": 4, "done": True}
    assert api("admin").ok("POST", f"/v1/projects/{twin['id']}/copy") == {"copied": 0, "done": True}
    copies = all_tasks(api("admin"), twin["id"])
    assert [(t["external_id"], t["priority"], t["state"], t["version"]) for t in copies] == [(f"x{n}", n, "annotate", 1) for n in range(1, 5)]
    originals = {t["external_id"]: t["data"] for t in all_tasks(api("admin"), desk.project)}
    assert all(t["data"] == originals[t["external_id"]] for t in copies)
    assert api("admin").ok("GET", f"/v1/tasks/{copies[0]['id']}")["meta"] == {"k": 1}
    assert api("admin").ok("GET", f"/v1/projects/{twin['id']}/progress")["tasks"]["annotate"] == 4
    got = api("admin").ok("POST", f"/v1/projects/{twin['id']}/claims", json={"stage": "annotate"})["assignments"]
    assert got[0]["task"]["id"] == copies[-1]["id"]  # the highest priority
    assert broken_rules(db) == []


def test_many_tasks_come_once_whoever_asks(api, db):
    desk = Desk(api, tasks=0)
    api.tasks(desk.project, [{"image": f"/{n}.png"} for n in range(2500)])
    twin = duplicate(desk, "tasks")
    path = f"/v1/projects/{twin['id']}/copy"
    # stopped after the first chunk, as by a server that dies: the row knows
    db.execute("UPDATE project SET copy_after = (SELECT id FROM task WHERE project_id = %s ORDER BY id OFFSET 999 LIMIT 1) WHERE id = %s",
               (desk.project, twin["id"]))
    answers = [api("admin").post(path) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 200]
    assert [a.json()["copied"] for a in answers] == [1500, 0, 0]
    n, distinct = db.execute("SELECT count(*), count(DISTINCT data::text) FROM task WHERE project_id = %s", (twin["id"],)).fetchone()
    assert n == distinct == 1500
    for role in ("manager", "outsider"):
        problem(api(role).post(path), 404)


# ---- archived ----

def test_an_archived_project_rests(api):
    desk = Desk(api, tasks=3)
    held = desk.claim("annotator")
    listed = desk("annotator").ok("GET", "/v1/projects?limit=500")["projects"]
    assert desk.project in [p["id"] for p in listed]
    project = desk("manager").ok("POST", f"{desk.path}/archive", version=1)
    assert project["archived"] is True and project["version"] == 2
    for role in ("annotator", "admin"):
        assert desk.project not in [p["id"] for p in desk(role).ok("GET", "/v1/projects?limit=500")["projects"]]
        assert desk.project in [p["id"] for p in desk(role).ok("GET", "/v1/projects?archived=true&limit=500")["projects"]]
    for role, method, path, body in (
            ("annotator2", "POST", "/claims", {"stage": "annotate"}), ("manager", "POST", "/tasks", [{"image": "/x.png"}]),
            ("manager", "POST", "/archive", None), ("manager", "PATCH", "", {"name": "N"}), ("manager", "POST", "/releases", {"name": "r"}),
            ("manager", "PUT", f"/members/{desk('outsider').user['id']}", {"role": "viewer"}),
            ("manager", "POST", "/label-configs", {"label_config": CHOICES}), ("admin", "POST", "/claims", {"stage": "annotate"})):
        assert problem(desk(role).request(method, desk.path + path, json=body, version=2), 409)["detail"] == "the project is archived"
    problem(desk("annotator").post(f"{desk.path}/archive", version=2), 403)  # roles go first
    assert desk("viewer").ok("GET", desk.path)["archived"] is True and len(all_tasks(desk("viewer"), desk.project)) == 3
    assert desk("manager").ok("POST", f"{desk.path}/label-configs/check", json={"label_config": CHOICES})["broken"] == 0
    desk.submit("annotator", held)  # what somebody holds they still hand in
    problem(desk("manager").post(f"{desk.path}/restore", version=1), 412)
    assert desk("manager").ok("POST", f"{desk.path}/restore", version=2)["archived"] is False
    problem(desk("manager").post(f"{desk.path}/restore", version=3), 409)
    desk.submit("annotator2", desk.claim("annotator2"), choice("dog"))
    problem(desk("viewer").get("/v1/projects?archived=1"), 422, "invalid", "/archived")


def test_an_archived_project_can_be_duplicated(api):
    desk = Desk(api, tasks=2)
    desk("manager").ok("POST", f"{desk.path}/archive", version=1)
    twin = duplicate(desk, "tasks")
    assert twin["archived"] is False
    assert api("admin").ok("POST", f"/v1/projects/{twin['id']}/copy") == {"copied": 2, "done": True}
