"""Erasure: what is to go is gone, from rows, packs, copies and media; what happened stays and can be shown; whatever is killed when."""
import hashlib
import io
import json
import subprocess
import zipfile

import pytest

import stand
from kit import Desk, Line, broken_rules, people, problem, until
from release_env import release
from stream_env import consume
from test_storage import age, objects, storage

FREE = """<View><Image name="image" value="$image"/><TextArea name="said" toName="image"/></View>"""
QUICK = {"review": {"mode": "none"}}
SECRET = "Jane Roe of Elm Street"


def said(text):
    return [{"id": "t1", "from_name": "said", "to_name": "image", "type": "textarea", "value": {"text": [text]}}]


def desk_of(api, tasks=2, **workflow):
    return Desk(api, tasks=tasks, label_config=FREE, workflow=QUICK | workflow)


@pytest.fixture(name="upkeep")
def upkeep_fixture(start_worker):
    worker = start_worker("upkeep", poll_ms=20)
    yield worker
    if worker.proc.poll() is None:
        worker.kill()


def erase(desk, task=None, role="manager", status=202, **body):
    task = desk.task(task)
    answer = desk(role).post(f"/v1/tasks/{task['id']}/erase", json={"reason": "asked for by the person"} | body, version=task["version"])
    assert answer.status_code == status, answer.text
    return answer.json()


def erase_person(desk, user, status=202, **body):
    answer = desk("admin").post(f"/v1/users/{user}/erase", json={"reason": "they asked"} | body)
    assert answer.status_code == status, answer.text
    return answer.json()


def hurry(db):
    """What orders wait for has happened long ago. One after the other: upkeep changes several at once."""
    for order, in db.execute("SELECT id FROM erasure WHERE state <> 'done'").fetchall():
        db.execute("UPDATE erasure SET created_at = created_at - interval '20 s', due_at = least(due_at, now()) WHERE id = %s", (order,))


def carried_out(db, desk, order, role="admin", seconds=60):
    def done():
        hurry(db)
        return desk(role).ok("GET", f"/v1/erasures/{order['id']}")["state"] == "done"
    until(done, seconds, "the order is not carried out")
    return desk(role).ok("GET", f"/v1/erasures/{order['id']}")


def holding(server, text):
    """The files of the store that hold these bytes."""
    return [p for p in (server.directory / "blobs").rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


def dumped(db, text):
    """The tables that hold a text, as far as any column shows it."""
    tables = [row[0] for row in db.execute("""SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition""")]
    return [t for t in tables if db.execute(f"SELECT EXISTS (SELECT FROM {t} x WHERE strpos(x::text, %s) > 0)", (text,)).fetchone()[0]]


def filled(api, db, **workflow):
    """A task with the secret wherever somebody can write it, and another one; both done."""
    desk = desk_of(api, 0, **workflow)
    asset = desk("manager").ok("POST", "/v1/assets", 201, data=f"a picture of {SECRET}".encode())["sha256"]
    both = desk("manager").ok("POST", "/v1/assets", 201, data=b"a picture that two tasks show")["sha256"]
    made = api.tasks(desk.project, [
        {"data": {"image": f"/v1/assets/{asset}", "beside": f"/v1/assets/{both}", "who": SECRET}, "meta": {"who": SECRET}, "priority": 1},
        {"data": {"image": f"/v1/assets/{both}"}}])
    desk.tasks = [made["first_id"], made["last_id"]]
    desk.assets = asset, both
    desk("manager").ok("PUT", f"{desk.path}/fields/data.who")
    work = desk.claim("annotator2")
    assert work["task"]["id"] == desk.tasks[0]
    desk.done("annotator2", work, "skip", {"reason": f"I know {SECRET}"})
    until(lambda: len(desk.claims("annotator", count=2)) == 2)
    work, other = sorted(desk.claims("annotator", count=2), key=lambda w: w["task"]["id"])
    desk("annotator").ok("PUT", f"/v1/assignments/{work['id']}/draft", json={"result": said(SECRET)}, version=work["version"])
    desk("annotator").ok("POST", f"/v1/tasks/{desk.tasks[0]}/comments", 201, json={"text": f"is it {SECRET}?", "region": "r1"})
    desk.submit("annotator", work, said(SECRET))
    desk.submit("annotator", other, said("nothing of the kind"))
    return desk


# ---- a task ----

def test_a_task_goes_for_good(api, db, server, upkeep):
    desk = filled(api, db)
    until(lambda: "task_field" in dumped(db, SECRET), 30)
    first, second = desk.tasks
    label, = desk.labels(first)
    before = desk.events(first)
    assert len(holding(server, SECRET)) == 2 and {"task", "comment", "event"} <= set(dumped(db, SECRET))

    order = erase(desk)
    assert (order["what"], order["task"], order["state"], order["dry_run"]) == ("task", first, "waiting", False)
    task = desk.task(first)
    assert (task["state"], task["data"], task["meta"], task["head_label"], task["erasure"]) == ("archived", {}, None, None, order["id"])
    done = carried_out(db, desk, order)
    assert done["counts"] == {"labels": 1, "labels_kept": 0, "drafts": 0, "comments": 1, "events": 1, "leases": 0, "exports": 0, "media": 1}
    assert done["step"] == "end" and done["ended_at"]

    assert holding(server, SECRET) == []
    db.execute("DELETE FROM idempotency_key")  # kept 24 h
    assert dumped(db, SECRET) == []
    problem(desk("viewer").get(f"/v1/labels/{label['id']}"), 410, "gone")
    problem(desk("viewer").get(f"/v1/labels/{label['id']}/diff/{label['id']}"), 410, "gone")
    problem(desk("viewer").get(f"/v1/tasks/{first}/blame?label={label['id']}"), 410, "gone")
    problem(desk("viewer").get(f"/v1/assets/{desk.assets[0]}"), 404)
    assert desk("viewer").get(f"/v1/assets/{desk.assets[1]}").content == b"a picture that two tasks show"
    assert desk.result(desk.labels(second)[0]["id"]) == said("nothing of the kind")

    # who did what, when, and the hash of what was said
    assert label["erased"] is False and desk.labels(first) == [label | {"erased": True}]
    after = desk.events(first)
    assert [{k: v for k, v in e.items() if k != "detail"} for e in after[:-1]] == [{k: v for k, v in e.items() if k != "detail"} for e in before]
    skip = next(e for e in after if e["action"] == "skip")
    assert skip["detail"]["erased"] is True and "reason" not in skip["detail"]
    assert (after[-1]["action"], after[-1]["from"], after[-1]["to"]) == ("erase", "done", "archived")
    assert after[-1]["detail"] == {"erasure": order["id"], "reason": "asked for by the person"}
    comment, = desk("viewer").ok("GET", f"/v1/tasks/{first}/comments")["comments"]
    assert (comment["text"], comment["region"], comment["author"]) == ("erased", None, desk("annotator").user["id"])

    assert storage(server, "scrub", "--once")["findings"] == 0
    for verb in ("restore", "archive", "reopen"):
        problem(desk("manager").post(f"/v1/tasks/{first}/{verb}", json={} if verb == "reopen" else None, version=desk.task(first)["version"]), 409)
    erase(desk, status=409)
    again = api.tasks(desk.project, [{"data": {"image": "/x.png"}}])
    assert again["created"] == 1


def test_a_dry_run_counts_and_changes_nothing(api, db, server, upkeep):
    desk = filled(api, db)
    work = desk.task()["version"]
    done = carried_out(db, desk, erase(desk, dry_run=True))
    assert done["counts"] == {"labels": 1, "labels_kept": 0, "drafts": 0, "comments": 1, "events": 1, "leases": 0, "exports": 0, "media": 1}
    assert desk.task()["version"] == work and desk.state() == "done" and desk.result(desk.labels()[0]["id"]) == said(SECRET)
    assert len(holding(server, SECRET)) == 2
    assert erase(desk)["state"] == "waiting"


def test_what_the_request_must_be(api, db, server, upkeep):
    desk = desk_of(api, 1)
    path = f"/v1/tasks/{desk.tasks[0]}/erase"
    version = desk.task()["version"]
    for body, pointer in (({}, "/reason"), ({"reason": ""}, "/reason"), ({"reason": "x" * 1001}, "/reason"), ({"reason": "x", "force": 1}, "/force"),
                          ({"reason": "x", "labels": True}, "/labels")):
        problem(desk("manager").post(path, json=body, version=version), 422, "invalid", pointer)
    problem(desk("manager").post(path, json={"reason": "x"}, version=version + 1), 412)
    problem(desk("manager").post(path, json={"reason": "x"}), 428)
    problem(desk("annotator").post(path, json={"reason": "x"}, version=version), 403)
    order = erase(desk)
    mine = desk("manager").ok("GET", f"/v1/erasures/{order['id']}")
    assert mine["reason"] == "asked for by the person"
    assert order["id"] in {e["id"] for e in desk("manager").ok("GET", "/v1/erasures?limit=500")["erasures"]}
    assert order["id"] in {e["id"] for e in desk("admin").ok("GET", "/v1/erasures?limit=500")["erasures"]}
    problem(desk("reviewer").get(f"/v1/erasures/{order['id']}"), 404)
    assert order["id"] not in {e["id"] for e in desk("reviewer").ok("GET", "/v1/erasures?limit=500")["erasures"]}
    problem(api("admin", "b").get(f"/v1/erasures/{order['id']}"), 404)
    assert api("admin", "b").ok("GET", "/v1/erasures")["erasures"] == []


def test_documents_of_one_pack_go_alone(api, db, server, upkeep):
    """Equal documents, too: each has a place of its own."""
    desk = desk_of(api, 0)
    label = {"result": said("the same in both")}
    made = api.tasks(desk.project, [{"data": {"image": f"/{i}"}, "annotations": [label, {"result": said(f"own of {i}")}]} for i in range(3)])
    desk.tasks = list(range(made["first_id"], made["last_id"] + 1))
    packs = {row[0] for row in db.execute("SELECT DISTINCT pack FROM label_version WHERE task_id = ANY(%s)", (desk.tasks,))}
    assert len(packs) == 1
    carried_out(db, desk, erase(desk, desk.tasks[1]))
    assert holding(server, "own of 1") == [] and len(holding(server, "own of 0")) == 1
    for i in (0, 2):
        results = [desk.result(one["id"]) for one in desk.labels(desk.tasks[i])]
        assert sorted(r[0]["value"]["text"][0] for r in results) == [f"own of {i}", "the same in both"]
    assert storage(server, "scrub", "--once")["findings"] == 0


def test_a_place_that_two_versions_share_stays_for_the_other(api, db, server, upkeep):
    desk = desk_of(api, 2)
    labels = [desk.annotate(value=said(f"shared {i}"))["label"]["id"] for i in range(2)]
    mine, other = (desk.labels(t)[0]["id"] for t in desk.tasks)
    db.execute("""UPDATE label_version o SET pack = m.pack, pack_off = m.pack_off, bytes = m.bytes, sha256 = m.sha256
        FROM label_version m WHERE m.id = %s AND o.id = %s""", (mine, other))
    carried_out(db, desk, erase(desk))
    assert {mine, other} == set(labels)
    problem(desk("viewer").get(f"/v1/labels/{mine}"), 410)
    assert desk.result(other)[0]["value"]["text"] == ["shared 0"]


def test_copies_in_dead_packs_and_packs_without_rows(api, db, server, upkeep):
    """A merge leaves the old packs for the grace period, a crash packs that no row names: neither keeps what was erased."""
    desk = desk_of(api, 40)
    for i in range(40):
        desk.annotate(value=said(f"text {i} of many"))
    pack = db.execute("SELECT l.pack FROM label_version l JOIN task t ON t.head_label = l.id WHERE t.id = %s", (desk.tasks[3],)).fetchone()[0]
    path = next(p for p in objects(server) if p.name == pack.hex)
    lost = path.parent.parent / "ab" / ("ab" * 16)
    lost.parent.mkdir(exist_ok=True)
    lost.write_bytes(b"?" + path.read_bytes() + said_bytes("of nobody that was erased"))
    age(lost, 2000)
    db.execute("UPDATE pack SET created_at = created_at - interval '1 h'")
    until(lambda: db.execute("SELECT count(*) FROM pack WHERE dead_at IS NOT NULL").fetchone()[0] >= 40, 30)
    db.execute("UPDATE pack SET dead_at = dead_at - interval '2 minutes' WHERE dead_at IS NOT NULL")
    assert len(holding(server, '"text 3 of many"')) == 3
    carried_out(db, desk, erase(desk, desk.tasks[3]))
    assert holding(server, '"text 3 of many"') == [] and len(holding(server, '"text 4 of many"')) == 2
    assert len(holding(server, "of nobody that was erased")) == 1
    lost.unlink()
    assert desk.result(desk.labels(desk.tasks[4])[0]["id"]) == said("text 4 of many")


def test_documents_that_no_row_names(api, db, server, upkeep):
    """The same items again: their labels are in a pack, and nothing refers to them. What says the same elsewhere stays."""
    desk = desk_of(api, 0)

    def item(name, *texts):
        return {"data": {"image": f"/{name}"}, "external_id": name, "annotations": [{"result": said(text)} for text in texts]}
    api.tasks(desk.project, [item("a", "only of a", "of a and c"), item("b", "only of b")])
    again = api.tasks(desk.project, [item("a", "only of a", "of a and c"), item("c", "of a and c")])
    assert (again["created"], again["skipped"]) == (1, 1) and len(holding(server, "only of a")) == 2
    a, c = (db.execute("SELECT id FROM task WHERE external_id = %s AND project_id = %s", (name, desk.project)).fetchone()[0] for name in "ac")
    desk.tasks = [a]
    db.execute("UPDATE pack SET created_at = created_at - interval '2 minutes'")
    carried_out(db, desk, erase(desk))
    assert holding(server, "only of a") == [] and len(holding(server, "only of b")) == 1
    assert [p.read_bytes().count(b"of a and c") for p in holding(server, "of a and c")] == [1]
    assert desk.result(desk.labels(c)[0]["id"]) == said("of a and c")


def said_bytes(text):
    return json.dumps(said(text), separators=(",", ":")).encode()


def test_a_pack_that_is_being_written_is_waited_for(api, db, server, upkeep):
    """What has no row yet may have one in a moment."""
    desk = desk_of(api, 1)
    desk.annotate(value=said("written twice"))
    source = next(p for p in objects(server) if b"written twice" in p.read_bytes())
    young = source.parent.parent / "cd" / ("cd" * 16)
    young.parent.mkdir(exist_ok=True)
    young.write_bytes(source.read_bytes())
    order = erase(desk)

    def state():
        hurry(db)
        return desk("admin").ok("GET", f"/v1/erasures/{order['id']}")
    until(lambda: state()["step"] == "copies", 30)
    assert holding(server, "written twice") == [young]
    age(young, 1000)
    carried_out(db, desk, order)
    assert holding(server, "written twice") == []
    young.unlink()


def test_work_that_comes_too_late_goes_as_well(api, db, server, upkeep):
    desk = desk_of(api, 1)
    work = desk.claim("annotator")
    order = erase(desk)
    carried_out(db, desk, order)
    late = problem(desk.act("annotator", work, "submit", {"result": said("too late for that")}), 409)["late_label"]
    until(lambda: desk("viewer").get(f"/v1/labels/{late}").status_code == 410, 30)
    done = carried_out(db, desk, order)
    assert done["counts"]["labels"] == 1 and holding(server, "too late for that") == []
    assert desk("manager").ok("GET", f"/v1/tasks/{desk.tasks[0]}/late")["late"][0]["settled"] == "dismissed"


def test_gold_goes_with_its_answer(api, db, server, upkeep):
    desk = desk_of(api, 1)
    desk("manager").ok("POST", f"{desk.path}/gold", 201, json={"task": desk.tasks[0], "result": said(SECRET)})
    assert "gold" in dumped(db, SECRET)
    order = erase(desk)
    carried_out(db, desk, order)
    assert dumped(db, SECRET) == [] and desk.state() == "archived"
    assert {a["state"] for a in desk.task()["assignments"]} == {"cancelled"}


# ---- releases ----

def entries(desk, built, **params):
    answer = desk("viewer").get(f"/v1/releases/{built['id']}/export", params={"container": "zip"} | params)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as z:
        return {n: z.read(n) for n in z.namelist()}


def test_a_release_keeps_its_root_and_leaves_the_item_out(api, db, server, upkeep, start_worker):
    start_worker("export", poll_ms=20)
    desk = filled(api, db)
    built = release(desk, "held")
    lines = desk("manager").get(f"/v1/releases/{built['id']}/lineage").text
    job = desk("viewer").ok("POST", f"/v1/releases/{built['id']}/exports", 202, json={"container": "zip"})
    until(lambda: desk("viewer").ok("GET", f"/v1/exports/{job['id']}")["state"] == "done", 30)

    assert "is protected" in erase(desk, status=409)["detail"] and desk.state() == "done"
    done = carried_out(db, desk, erase(desk, force=True))
    assert done["counts"]["exports"] == 1
    until(lambda: desk("viewer").ok("GET", f"/v1/exports/{job['id']}")["state"] == "expired", 30)
    assert holding(server, SECRET) == []
    assert desk("viewer").ok("GET", f"/v1/releases/{built['id']}")["root"] == built["root"]
    assert desk("manager").get(f"/v1/releases/{built['id']}/lineage").text == lines
    files = entries(desk, built)
    report = json.loads(files["EXPORT.json"])
    assert (report["items"], report["erased"]) == (1, 1) and len(files["tasks.jsonl"].splitlines()) == 1
    again = desk("viewer").ok("POST", f"/v1/releases/{built['id']}/exports", 202, json={"container": "zip"})
    until(lambda: desk("viewer").ok("GET", f"/v1/exports/{again['id']}")["state"] == "done", 30)
    content = desk("viewer").get(f"/v1/exports/{again['id']}/content").content
    assert hashlib.sha256(content).hexdigest() == desk("viewer").ok("GET", f"/v1/exports/{again['id']}")["sha256"]
    assert release(desk, "later")["items"] == 1


# ---- a person ----

def newcomer(db, server, api, desk):
    (user, token), = people(db, server, api, desk.project, 1)
    db.execute("UPDATE app_user SET name = %s, email = 'jane.roe@elm.example', password = 'x' WHERE id = %s", (SECRET, user))
    return user, Line(server, token)


def test_a_person_goes_and_their_work_stays(api, db, server, upkeep):
    desk = desk_of(api, 3)
    user, line = newcomer(db, server, api, desk)
    token = line.call("POST", "/v1/tokens", {"name": f"of {SECRET}"})[1]
    claims = line.call("POST", f"{desk.path}/claims", {"stage": "annotate", "count": 3})[1]["assignments"]
    one, two, three = claims
    assert line.call("POST", f"/v1/assignments/{one['id']}/submit", {"result": said("what I see")}, one["version"])[0] == 200
    assert line.call("PUT", f"/v1/assignments/{two['id']}/draft", {"result": said(SECRET)}, two["version"])[0] == 200
    assert line.call("POST", f"/v1/tasks/{one['task']['id']}/comments", {"text": f"{SECRET} was here"}, key="k1")[0] == 201
    db.execute("UPDATE assignment SET lease_expires_at = now() - interval '1 s' WHERE id = %s", (three["id"],))
    until(lambda: db.execute("SELECT state FROM assignment WHERE id = %s", (three["id"],)).fetchone()[0] == "open")
    taken = desk.claims("annotator2", count=1)
    assert [w["id"] for w in taken] == [three["id"]]
    status, refused = line.call("POST", f"/v1/assignments/{three['id']}/submit", {"result": said("a late word of mine")}, three["version"])
    assert status == 412
    late = refused["late_label"]

    counted = carried_out(db, desk, erase_person(desk, user, dry_run=True))["counts"]
    assert counted == {"labels": 1, "labels_kept": 0, "drafts": 1, "comments": 1, "events": 0, "leases": 1, "exports": 0, "media": 0}
    assert line.call("GET", "/v1/me")[0] == 200

    order = erase_person(desk, user)
    assert erase_person(desk, user)["id"] == order["id"]
    assert line.call("GET", "/v1/me")[0] == 401
    problem(api().get("/v1/me", headers={"Authorization": f"Bearer {token['token']}"}), 401)
    members = {m["user"]: m for m in desk("manager").ok("GET", f"{desk.path}/members")["members"]}
    assert members[user]["name"] == f"erased user {user}" and members[user]["email"] == f"erased-{user}@erased.invalid"
    done = carried_out(db, desk, order)
    assert done["counts"] == counted | {"leases": 1}
    assert dumped(db, SECRET) == [] and dumped(db, "jane.roe") == []
    assert holding(server, "a late word of mine") == [] and len(holding(server, "what I see")) == 1
    problem(desk("viewer").get(f"/v1/labels/{late}"), 410)
    assert "erase_label" in desk.actions(three["task"]["id"])
    until(lambda: db.execute("SELECT state FROM assignment WHERE id = %s", (two["id"],)).fetchone()[0] == "open")
    comment, = desk("viewer").ok("GET", f"/v1/tasks/{one['task']['id']}/comments")["comments"]
    assert comment["text"] == "erased" and comment["author"] == user
    assert db.execute("SELECT detail->>'user' FROM event WHERE action = 'erase' AND task_id IS NULL AND project_id = %s",
                      (desk.project,)).fetchall() == [(str(user),)]


def test_a_person_with_their_labels(api, db, server, upkeep, start_worker):
    start_worker("export", poll_ms=20)
    desk = desk_of(api, 3)
    user, line = newcomer(db, server, api, desk)
    for work in line.call("POST", f"{desk.path}/claims", {"stage": "annotate", "count": 2})[1]["assignments"]:
        assert line.call("POST", f"/v1/assignments/{work['id']}/submit", {"result": said(f"{SECRET} {work['task']['id']}")}, work["version"])[0] == 200
    desk.annotate(value=said("another's"))
    built = release(desk, "held")
    kept = carried_out(db, desk, erase_person(desk, user, labels=True))
    assert (kept["counts"]["labels"], kept["counts"]["labels_kept"]) == (0, 2)
    done = carried_out(db, desk, erase_person(desk, user, labels=True, force=True))
    assert done["counts"]["labels"] == 2 and holding(server, SECRET) == []
    theirs = [t for t in desk.tasks if desk.labels(t)[0]["author"] == user]
    assert len(theirs) == 2 and [desk.state(t) for t in theirs] == ["done"] * 2
    assert desk.actions(theirs[0])[-1] == "erase_label"
    label = desk.labels(theirs[0])[0]["id"]
    problem(desk("viewer").get(f"/v1/labels/{label}"), 410)
    problem(desk("viewer").get(f"/v1/tasks/{theirs[0]}/blame"), 410)
    problem(desk("manager").post(f"/v1/tasks/{theirs[0]}/restore-label", json={"label": label}, version=desk.task(theirs[0])["version"]), 410)
    assert json.loads(entries(desk, built)["EXPORT.json"])["erased"] == 2
    assert desk("viewer").ok("GET", f"/v1/releases/{built['id']}")["root"] == built["root"]


def test_work_on_an_erased_label_is_handed_out_without_it(api, db, server, upkeep):
    desk = desk_of(api, 1, review={"mode": "all"})
    user, line = newcomer(db, server, api, desk)
    work, = line.call("POST", f"{desk.path}/claims", {"stage": "annotate"})[1]["assignments"]
    assert line.call("POST", f"/v1/assignments/{work['id']}/submit", {"result": said(SECRET)}, work["version"])[0] == 200
    carried_out(db, desk, erase_person(desk, user, labels=True))
    review = desk.claim("reviewer", "review")
    assert review["label"] is None
    desk.verdict("reviewer", review, "fix", result=said("seen anew"))
    assert desk.state() == "done" and desk.result(desk.task()["head_label"]) == said("seen anew")


def test_who_may_erase_whom(api, db, server, upkeep):
    desk = desk_of(api, 1)
    path = f"/v1/users/{desk('annotator').user['id']}/erase"
    problem(desk("manager").post(path, json={"reason": "x"}), 403)
    problem(desk("admin").post(f"/v1/users/{desk('admin').user['id']}/erase", json={"reason": "x"}), 403)
    problem(api("admin", "b").post(path, json={"reason": "x"}), 404)
    problem(desk("admin").post(path, json={}), 422, "invalid", "/reason")


# ---- whatever is killed when ----

@pytest.mark.parametrize("point", ["erase.marked", "erase.blanked", "erase.taken", "erase.removed", "erase.copied", "blob.put.write", "blob.put.fsync",
                                   "blob.put.rename"])
def test_kill_the_erasure(api, db, server, start_worker, monkeypatch, point):
    desk = filled(api, db)
    label = desk.labels()[0]["id"]
    source = next(p for p in holding(server, SECRET) if "packs" in p.parts)
    lost = source.parent.parent / "ef" / ("ef" * 16)
    lost.parent.mkdir(exist_ok=True)
    lost.write_bytes(source.read_bytes())
    age(lost, 1000)
    order = erase(desk)
    hurry(db)
    monkeypatch.setitem(stand.ENVIRONMENT, "ANNOTATE_FAULT", f"{point}:1:kill")
    upkeep = start_worker("upkeep", poll_ms=20)
    assert upkeep.proc.wait(60) == -9, "the fault point was not passed"
    monkeypatch.delitem(stand.ENVIRONMENT, "ANNOTATE_FAULT")
    assert broken_rules(db, server.directory / "blobs") == []
    upkeep.start()
    done = carried_out(db, desk, order)
    assert (done["counts"]["labels"], done["counts"]["media"]) == (1, 1)
    assert holding(server, SECRET) == [] and dumped(db, SECRET) == []
    problem(desk("viewer").get(f"/v1/labels/{label}"), 410)
    assert desk.result(desk.labels(desk.tasks[1])[0]["id"]) == said("nothing of the kind")
    assert storage(server, "scrub", "--once")["findings"] == 0
    upkeep.kill()
    lost.unlink()


def test_two_workers_and_many_orders(api, db, server, start_worker):
    """One walk serves them all; documents of one pack are erased one order after the other."""
    desk = desk_of(api, 0)
    made = api.tasks(desk.project, [{"data": {"image": f"/{i}"}, "annotations": [{"result": said(f"number {i}.")}]} for i in range(24)])
    desk.tasks = list(range(made["first_id"], made["last_id"] + 1))
    orders = [erase(desk, task) for task in desk.tasks[::2]]
    workers = [start_worker("upkeep", poll_ms=20) for _ in range(2)]
    for order in orders:
        carried_out(db, desk, order)
    for worker in workers:
        worker.kill()
    assert [bool(holding(server, f'"number {i}."')) for i in range(24)] == [i % 2 == 1 for i in range(24)]
    assert broken_rules(db, server.directory / "blobs") == []


def test_erasing_while_packs_are_merged(api, db, server, start_worker):
    """What is erased while it is merged is not written again."""
    desk = desk_of(api, 120)
    for i in range(len(desk.tasks)):
        desk.annotate(value=said(f"merged {i}."))
    written = {t: desk.result(desk.labels(t)[0]["id"])[0]["value"]["text"][0] for t in desk.tasks}
    workers = [start_worker("upkeep", poll_ms=10) for _ in range(2)]
    orders = []
    for n, task in enumerate(desk.tasks[:48]):
        if n % 12 == 0:
            db.execute("UPDATE pack SET created_at = created_at - interval '1 h' WHERE dead_at IS NULL AND id IN (SELECT id FROM pack LIMIT 400)")
        orders.append(erase(desk, task))
    until(lambda: db.execute("SELECT count(*) FROM pack WHERE dead_at IS NOT NULL").fetchone()[0] >= 32, 30)

    def old():
        db.execute("UPDATE pack SET dead_at = dead_at - interval '2 minutes' WHERE dead_at > now() - interval '1 minute'")
        hurry(db)
        return db.execute("SELECT count(*) FROM erasure WHERE state <> 'done'").fetchone()[0] == 0
    until(old, 60)
    for worker in workers:
        worker.kill()
    assert [t for t in desk.tasks[:48] if holding(server, f'"{written[t]}"')] == []
    assert all(holding(server, f'"{written[t]}"') for t in desk.tasks[48:])
    assert broken_rules(db, server.directory / "blobs") == []


def test_erasing_what_is_being_handed_in(api, db, server, upkeep):
    """Whoever comes first: what was handed in is gone in the end, and the history is whole."""
    desk = desk_of(api, 12)
    works = desk.claims("annotator", count=12)
    assert len(works) == 12
    line = Line(server, desk("annotator").headers["Authorization"].partition(" ")[2])
    lines = [Line(server, line.token) for _ in works]
    for other, work in zip(lines, works):
        other.send("POST", f"/v1/assignments/{work['id']}/submit", {"result": said(f"raced {work['task']['id']}.")}, work["version"])
        task, path = work["task"], f"/v1/tasks/{work['task']['id']}/erase"
        answer = desk("manager").post(path, json={"reason": "r"}, version=task["version"])
        if answer.status_code == 412:
            erase(desk, task["id"])
        else:
            assert answer.status_code == 202, answer.text
    assert {other.answer()[0] for other in lines} <= {200, 409, 412}

    def over():
        hurry(db)
        return db.execute("SELECT count(*) FROM erasure WHERE state <> 'done'").fetchone()[0] == 0
    until(over, 60)
    assert holding(server, '"raced ') == [] and {desk.state(t) for t in desk.tasks} == {"archived"}
    assert all(len(desk.labels(t)) == 1 for t in desk.tasks)


# ---- to who has it already ----

def test_the_stream_says_what_to_delete(api, db, server, upkeep, start_worker, tmp_path):
    """A label that was erased before it was sent does not hold the stream up."""
    desk = filled(api, db)
    user, line = newcomer(db, server, api, desk)
    extra = api.tasks(desk.project, [{"data": {"image": "/z.png"}}])["first_id"]
    work, = line.call("POST", f"{desk.path}/claims", {"stage": "annotate"})[1]["assignments"]
    assert line.call("POST", f"/v1/assignments/{work['id']}/submit", {"result": said(SECRET)}, work["version"])[0] == 200
    carried_out(db, desk, erase(desk))
    carried_out(db, desk, erase_person(desk, user, labels=True))
    sink = f"file:{tmp_path}/stream"
    start_worker("stream", sink=sink, poll_ms=20)
    seen = {}

    def verified():
        done = consume(sink, "annotate", "--verify")
        seen.update(json.loads(done.stdout or "{}"))
        return seen.get("events") == db.execute("SELECT count(*) FROM event").fetchone()[0]
    until(verified, 60, "the stream does not come to an end")
    assert seen["errors"] == 0 and seen["actions"]["erase"] >= 1 and seen["actions"]["erase_label"] >= 1, seen
    events, labels = ([json.loads(text) for text in consume(sink, "annotate", "--topic", topic).stdout.splitlines()] for topic in ("events", "labels"))
    of_task = [r for r in labels if r["key"] == str(desk.tasks[0])]
    assert [r["value"] is None for r in of_task] == [False, True] and of_task[0]["value"]["result"] is None
    alone, = (r for r in labels if r["key"] == str(extra))
    assert alone["value"]["result"] is None and alone["value"]["dataref"] == f"/v1/labels/{alone['value']['label']['id']}"
    problem(desk("viewer").get(alone["value"]["dataref"]), 410)
    gone = [r["value"] for r in events if r["value"]["action"] == "erase" and r["value"]["task"] is None and r["value"]["project"] == desk.project]
    assert [e["detail"]["user"] for e in gone] == [user]
    assert SECRET not in json.dumps([r for r in labels + events if r["value"] and r["value"].get("project") == desk.project])


# ---- in the terminal ----

def annotate(server, client, *words, status=0):
    token = server.directory / "token"
    token.touch(0o600)
    token.write_text(client.headers["Authorization"].partition(" ")[2])
    done = subprocess.run([stand.BIN / "annotate", "--server", server.url, "--token-file", token, "erase", *map(str, words)],
                          env=stand.ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_the_command(api, db, server, upkeep):
    desk = desk_of(api, 2)
    desk.annotate(value=said(SECRET))
    asked = annotate(server, desk("manager"), "task", desk.tasks[0], "--reason", "as asked", status=2)
    assert "--yes" in asked.stderr and json.loads(asked.stdout)["counts"]["labels"] == 1 and desk.state() == "done"
    ordered = json.loads(annotate(server, desk("manager"), "task", desk.tasks[0], "--reason", "as asked", "--yes", "--no-wait").stdout)
    carried_out(db, desk, ordered)
    shown = json.loads(annotate(server, desk("manager"), "show", ordered["id"]).stdout)
    assert shown["state"] == "done" and shown["counts"]["labels"] == 1 and holding(server, SECRET) == []
    listed = annotate(server, desk("manager"), "list").stdout.splitlines()
    assert ordered["id"] in [json.loads(line)["id"] for line in listed]
    assert "no such" in annotate(server, desk("admin"), "person", 1 << 40, "--reason", "x", "--yes", status=1).stderr
    annotate(server, desk("manager"), "task", desk.tasks[1], "--reason", "x", "--dry-run")
    assert desk.state(desk.tasks[1]) == "annotate"
