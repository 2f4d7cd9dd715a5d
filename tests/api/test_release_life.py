"""Releases from a filter to their end: which tasks, which split, what differs, where it comes from, the data card, protection."""
import collections
import hashlib
import json

import pytest
import requests

from kit import Desk, choice, problem, until
from release_env import export, finish, release

QUICK = {"review": {"mode": "none"}}


@pytest.fixture(scope="module", autouse=True)
def workers(start_worker):
    return start_worker("export", poll_ms=20), start_worker("upkeep", poll_ms=20)


def settle(db):
    """Until the search knows all labels."""
    settled = """SELECT NOT EXISTS (SELECT FROM label_stale) AND NOT EXISTS (SELECT FROM event WHERE NOT pg_visible_in_snapshot(xid,
        (SELECT (position ->> 'prev')::pg_snapshot FROM reader_position WHERE name = 'digest')))"""
    until(lambda: db.execute(settled).fetchone()[0], 60, "upkeep does not come to rest")


def lines(desk, built):
    return [json.loads(line) for line in export(desk, built).splitlines()]


def with_data(api, data, workflow=QUICK):
    """A project with a task of each data, worked off."""
    desk = Desk(api, tasks=0, workflow=workflow)
    made = api.tasks(desk.project, [{"data": {"image": f"/{n}.png"} | d} for n, d in enumerate(data)])
    desk.tasks = list(range(made["first_id"], made["last_id"] + 1))
    return desk


# ---- which tasks ----

def test_a_filter_takes_what_the_search_would(api, db):
    desk = with_data(api, [{"lot": n % 3, "site": "north" if n % 2 else "south"} for n in range(12)])
    finish(desk, 9)
    settle(db)
    is_lot = {"field": "data.lot", "op": "eq", "value": 1}
    data = {t: desk.task(t)["data"] for t in desk.tasks}
    done = {t for t in desk.tasks if desk.state(t) == "done"}
    assert len(done) == 9
    for n, (filter, want) in enumerate([
            (is_lot, {t for t in done if data[t]["lot"] == 1}),
            ({"and": [is_lot, {"not": {"field": "data.site", "op": "eq", "value": "north"}}]},
             {t for t in done if data[t]["lot"] == 1 and data[t]["site"] == "south"}),
            ({"field": "state", "op": "eq", "value": "done"}, done),
            ({"field": "state", "op": "eq", "value": "annotate"}, set()),
            ({"field": "label", "op": "eq", "value": "cat"}, done),
            ({"field": "label", "op": "eq", "value": "dog"}, set()),
            ({"field": "annotator", "op": "eq", "value": desk("annotator").user["id"]}, done),
            ({"field": "data.lot", "op": "ge", "value": 1}, {t for t in done if data[t]["lot"] >= 1}),
            ({"field": "data.site", "op": "prefix", "value": "no"}, {t for t in done if data[t]["site"] == "north"}),
            ({"field": "data.never", "op": "eq", "value": 1}, set())]):
        built = release(desk, f"filter {n}", filter=filter)
        assert built["filter"] == filter and built["state"] == "ready", built
        assert {line["task"] for line in lines(desk, built)} == want, filter
    assert release(desk, "all")["filter"] is None and release(desk, "all again")["items"] == 9


def test_a_filter_takes_labels_that_wait_for_review(api, db):
    """A filter says which states; a task without a label is in no release."""
    desk = with_data(api, [{}] * 5, {"review": {"mode": "all"}})
    finish(desk, 3)
    built = release(desk, filter={"field": "state", "op": "in", "value": ["annotate", "review"]})
    assert {line["task"] for line in lines(desk, built)} == {t for t in desk.tasks if desk.state(t) == "review"} and built["items"] == 3
    assert release(desk, "done only")["items"] == 0


def test_more_tasks_than_a_page(api, db):
    desk = Desk(api, tasks=0, workflow=QUICK)
    api.tasks(desk.project, [{"data": {"image": "/x", "n": n}} for n in range(1200)])
    finish(desk, 2)
    db.execute("""UPDATE task t SET state = 'done', head_label = (SELECT min(l.id) FROM label_version l WHERE l.project_id = t.project_id)
        WHERE t.project_id = %s""", (desk.project,))
    try:
        built = release(desk, filter={"field": "data.n", "op": "ge", "value": 100})
        assert built["items"] == 1100
    finally:  # the invariants are looked at after every test
        db.execute("UPDATE task SET state = 'annotate', head_label = NULL WHERE project_id = %s AND id NOT IN (SELECT task_id FROM label_version)",
                   (desk.project,))
        db.execute("""UPDATE task t SET head_label = l.id FROM label_version l WHERE l.task_id = t.id AND t.project_id = %s""", (desk.project,))


@pytest.mark.parametrize("more, pointer", [
    ({"filter": {"field": "nothing", "op": "eq", "value": 1}}, "/filter/field"), ({"filter": []}, "/filter"),
    ({"filter": {"and": []}}, "/filter/and"), ({"group_by": "patient"}, "/group_by"), ({"group_by": "data."}, "/group_by"),
    ({"pin_by": "data.a..b"}, "/pin_by"), ({"protected": 1}, "/protected"), ({"licence": "x" * 201}, "/licence"), ({"zz": 1}, "/zz")])
def test_what_cannot_be_ordered(api, more, pointer):
    desk = Desk(api)
    answer = problem(desk("manager").post(f"{desk.path}/releases", json={"name": "x"} | more), 422, "invalid")
    assert answer["pointer"].startswith(pointer), answer


# ---- splits ----

def part_of(key, salt=""):
    """docs/api.md: by hash, in the default shares."""
    u = int.from_bytes(hashlib.sha256(salt.encode() + b"\0" + key.encode()).digest()[:8], "big") / 2**64
    return "train" if u < 0.8 else "val" if u < 0.9 else "test"


def test_groups_stay_together_and_where_they_are(api, db):
    desk = with_data(api, [{"patient": f"p{n % 7}"} for n in range(21)] + [{}, {"patient": None}, {"patient": ["x"]}])
    finish(desk, 24)
    first = release(desk, group_by="data.patient", salt="s")
    assert first["group_by"] == "data.patient" and first["items"] == 24
    split = {}
    for line in lines(desk, first):
        patient = line["data"].get("patient")
        key = patient if isinstance(patient, str) else str(line["task"])  # missing: the task itself
        assert line["split"] == part_of(key, "s")
        assert split.setdefault(key, line["split"]) == line["split"]
    assert len(split) == 10
    api.tasks(desk.project, [{"data": {"image": "/new.png", "patient": f"p{n}"}} for n in range(9)])
    finish(desk, 9)
    for line in lines(desk, release(desk, "grown", group_by="data.patient", salt="s")):
        patient = line["data"].get("patient")
        key = patient if isinstance(patient, str) else str(line["task"])
        assert line["split"] == split.get(key, part_of(key, "s"))


def test_a_pin_decides(api):
    desk = with_data(api, [{"set": "test", "patient": "p"}, {"set": "nowhere"}, {"set": "val"}, {}, {"set": 1}])
    finish(desk, 5)
    built = release(desk, pin_by="data.set", group_by="data.patient")
    for line in lines(desk, built):
        pin = line["data"].get("set")
        assert line["split"] == (pin if pin in ("test", "val") else part_of(str(line["task"])))
    assert built["pin_by"] == "data.set"


def test_an_empty_split_is_warned_of(api):
    desk = with_data(api, [{"set": "train"}, {"set": "train"}])
    finish(desk, 2)
    assert release(desk, pin_by="data.set")["warnings"] == ["the split val is empty", "the split test is empty"]
    assert release(desk, "whole", split={"all": 1})["warnings"] == []


# ---- what differs ----

def difference(desk, a, b):
    answer = desk("viewer").get(f"/v1/releases/{a['id']}/diff/{b['id']}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert "counts" in found[-1] and all("changes" in line for line in found[:-1])
    return {line["task"]: line for line in found[:-1]}, found[-1]["counts"]


def by_hand(a, b):
    """From the two exports."""
    a, b = ({line["task"]: line for line in part} for part in (a, b))
    found = {}
    for task in a.keys() | b.keys():
        if task not in a or task not in b:
            found[task] = ["added" if task in b else "removed"]
        else:
            changes = [name for name, differs in (("relabelled", a[task]["label"]["sha256"] != b[task]["label"]["sha256"]),
                                                  ("split", a[task]["split"] != b[task]["split"])) if differs]
            if changes:
                found[task] = changes
    return found


def test_what_differs(api):
    desk = with_data(api, [{"set": "train"}] * 6)
    finish(desk, 5)
    a = release(desk, "a", salt="1")
    first = lines(desk, a)
    finish(desk, 1)
    relabelled, dropped = first[0]["task"], first[1]["task"]
    desk.move("reopen", relabelled)
    desk.submit("annotator", desk.claim("annotator"), "dog")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    desk.move("archive", dropped)
    b = release(desk, "b", salt="1")
    c = release(desk, "c", pin_by="data.set", split={"test": 0.5, "train": 0.5})
    for one, other in ((a, b), (b, a), (a, c), (b, c)):
        want = by_hand(lines(desk, one), lines(desk, other))
        found, counts = difference(desk, one, other)
        assert {task: line["changes"] for task, line in found.items()} == want
        tally = collections.Counter(change for changes in want.values() for change in changes)
        assert {name: counts[name] for name in counts if name != "equal"} == {
            name: tally[name] for name in ("added", "removed", "relabelled", "media", "split")}
        assert counts["equal"] == len({line["task"] for line in lines(desk, one)} - want.keys())
        assert list(found) == sorted(found)
    found, _ = difference(desk, a, b)
    assert found[relabelled]["a"]["sha256"] == first[0]["label"]["sha256"] != found[relabelled]["b"]["sha256"]
    assert found[dropped]["b"] is None and found[dropped]["a"]["label"] == first[1]["label"]["id"]
    same, counts = difference(desk, a, release(desk, "a again, but for the name", salt="1", filter={"field": "state", "op": "eq", "value": "done"}))
    assert same.keys() == found.keys()
    assert difference(desk, a, a) == ({}, {"equal": 5, "added": 0, "removed": 0, "relabelled": 0, "media": 0, "split": 0})


def test_a_difference_of_many_pages(api, db):
    """3000 items against 2500 others, put there by hand: every page, in order, each exactly once."""
    desk = Desk(api, tasks=0, workflow=QUICK)
    made = api.tasks(desk.project, [{"data": {"image": "/x"}} for _ in range(3000)])
    ids = range(made["first_id"], made["last_id"] + 1)
    number = []
    for name, keep in (("a", lambda n: True), ("b", lambda n: n % 6)):
        row = db.execute("""INSERT INTO release (tenant_id, project_id, name, state, split, salt, root, items, label_config_version, created_by)
            SELECT tenant_id, id, %s, 'ready', '{"all":1}', '', sha256(%s::bytea), %s, 1, created_by FROM project WHERE id = %s
            RETURNING tenant_id, id""", (name, name.encode(), sum(bool(keep(n)) for n in range(3000)), desk.project)).fetchone()
        number.append({"id": row[1]})
        with db.cursor() as c:
            c.executemany("INSERT INTO release_item (tenant_id, release_id, task_id, label_id, split, label_sha256) "
                          "VALUES (%s, %s, %s, 1, 'all', sha256(%s::bytea))",
                          [(row[0], row[1], task, b"x" if name == "a" or n % 7 else b"y") for n, task in enumerate(ids) if keep(n)])
    found, counts = difference(desk, *number)
    want = {task: ["removed"] if n % 6 == 0 else ["relabelled"] for n, task in enumerate(ids) if n % 6 == 0 or n % 7 == 0}
    assert {task: line["changes"] for task, line in found.items()} == want and list(found) == sorted(want)
    assert counts["equal"] == 3000 - len(want) and counts["removed"] == 500
    found, counts = difference(desk, *reversed(number))
    assert counts["added"] == 500 and len(found) == len(want)
    db.execute("SELECT set_config('app.ending', (SELECT tenant_id::text FROM release WHERE id = %s), false)", (number[0]["id"],))
    for one in number:
        db.execute("DELETE FROM release_item WHERE release_id = %s", (one["id"],))
        db.execute("DELETE FROM release WHERE id = %s", (one["id"],))
    db.execute("SELECT set_config('app.ending', '', false)")


def test_what_cannot_be_compared(api, db):
    desk, other = Desk(api), Desk(api)
    a, b = release(desk), release(other)
    problem(desk("viewer").get(f"/v1/releases/{a['id']}/diff/{b['id']}"), 404)
    problem(desk("viewer").get(f"/v1/releases/{a['id']}/diff/999999999"), 404)
    unready = [db.execute("""INSERT INTO release (tenant_id, project_id, name, state, split, salt, created_by)
        SELECT tenant_id, id, 'failed', 'failed', '{"all":1}', '', created_by FROM project WHERE id = %s RETURNING id""", (d.project,)).fetchone()[0]
        for d in (desk, other)]
    problem(desk("viewer").get(f"/v1/releases/{a['id']}/diff/{unready[0]}"), 409, "conflict")
    problem(desk("viewer").get(f"/v1/releases/{a['id']}/diff/{unready[1]}"), 404)  # not even that it is not ready
    problem(desk("viewer").get(f"/v1/releases/{unready[0]}/diff/{unready[1]}"), 404)


# ---- where it comes from ----

def test_lineage(api):
    desk = with_data(api, [{}] * 3, {"review": {"mode": "all"}})
    finish(desk, 3)
    fixed, accepted, _ = sorted(desk.claims("reviewer", "review", count=3), key=lambda w: w["task"]["id"])
    desk.verdict("reviewer", fixed, "fix", result=choice("dog"))
    desk.verdict("reviewer", accepted, "accept")
    built = release(desk)
    answer = desk("manager").get(f"/v1/releases/{built['id']}/lineage")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/x-ndjson"
    rows = {row["task"]: row for row in map(json.loads, answer.text.splitlines())}
    assert list(rows) == sorted(rows) and rows.keys() == {fixed["task"]["id"], accepted["task"]["id"]}
    annotator, reviewer = desk("annotator").user["id"], desk("reviewer").user["id"]
    for work, authors in ((fixed, {annotator, reviewer}), (accepted, {annotator})):
        row, versions = rows[work["task"]["id"]], desk.labels(work["task"]["id"])
        assert row["from"]["versions"] == [v["id"] for v in versions] and set(row["from"]["authors"]) == authors
        assert row["from"]["reviewers"] == [reviewer] and row["from"]["models"] == []
        head = versions[-1]
        assert {k: row["label"][k] for k in ("id", "seq", "sha256", "kind")} == {k: head[k] for k in ("id", "seq", "sha256", "kind")}
        assert row["label"]["config"] == 1 and row["label"]["merged_from"] == []
    held = desk("viewer").ok("GET", f"/v1/labels/{rows[fixed['task']['id']]['label']['id']}/releases")
    assert [r["id"] for r in held["releases"]] == [built["id"]]
    first = desk.labels(fixed["task"]["id"])[0]["id"]
    assert desk("viewer").ok("GET", f"/v1/labels/{first}/releases") == {"releases": [], "next": None}
    again = release(desk, "again")
    page = desk("viewer").ok("GET", f"/v1/labels/{rows[fixed['task']['id']]['label']['id']}/releases?limit=1")
    assert [r["id"] for r in page["releases"]] == [built["id"]] and page["next"] == built["id"]
    page = desk("viewer").ok("GET", f"/v1/labels/{rows[fixed['task']['id']]['label']['id']}/releases?limit=1&after={page['next']}")
    assert [r["id"] for r in page["releases"]] == [again["id"]]


# ---- the data card ----

def test_the_data_card(api, db):
    desk = with_data(api, [{"set": "train"}] * 4 + [{"set": "test"}] * 3)
    finish(desk, 4, "cat")
    for work in desk.claims("annotator2", count=3):
        desk.submit("annotator2", work, "dog", lead_time=2.5)
    settle(db)
    built = release(desk, pin_by="data.set", description="Pets | of all kinds", licence="CC-BY-4.0")
    assert (built["description"], built["licence"]) == ("Pets | of all kinds", "CC-BY-4.0")
    card = desk("viewer").ok("GET", f"/v1/releases/{built['id']}/card")
    f = card["figures"]
    assert card["people"] is None and card["root"] == built["root"] and card["licence"] == "CC-BY-4.0"
    rows = lines(desk, built)
    split = collections.Counter(line["split"] for line in rows)
    assert {name: part["items"] for name, part in f["splits"].items()} == split and f["items"] == f["regions"] == 7
    want = collections.defaultdict(collections.Counter)
    for line in rows:
        want[line["label"]["result"][0]["value"]["choices"][0]][line["split"]] += 1
    assert {row["label"]: row["splits"] for row in f["labels"]} == want
    assert [(row["label"], row["items"]) for row in f["labels"]] == [("cat", 4), ("dog", 3)]
    assert f["annotators"] == {"count": 2, "items": [4, 3]} and f["configs"] == {"1": 7} and f["kinds"] == {"submission": 7}
    assert f["models"] == {"made": 0, "predicted": 0, "unchanged": 0, "by_model": {}} and f["rework"] == {"items": 0, "rounds": 0}
    assert f["lead_time"] == {"items": 3, "seconds": 7.5} and f["first_label_at"] <= f["last_label_at"]
    with_people = desk("manager").ok("GET", f"/v1/releases/{built['id']}/card?people=true")
    assert [(p["user"], p["items"]) for p in with_people["people"]] == [(desk("annotator").user["id"], 4), (desk("annotator2").user["id"], 3)]
    assert all(p["name"] for p in with_people["people"])
    problem(desk("viewer").get(f"/v1/releases/{built['id']}/card?people=true"), 403, "forbidden")


def test_the_card_of_rework_and_agreement(api, db):
    desk = Desk(api, tasks=2, workflow={"overlap": 2, "review": {"mode": "none"}})
    for value, role in (("cat", "annotator"), ("cat", "annotator2")):
        for work in desk.claims(role, count=2):
            desk.submit(role, work, value)
    until(lambda: db.execute("SELECT count(*) FROM task_field WHERE project_id = %s AND field = 'agreement'", (desk.project,)).fetchone()[0] == 2,
          30, "agreement is not known")
    settle(db)
    f = desk("viewer").ok("GET", f"/v1/releases/{release(desk)['id']}/card")["figures"]
    assert f["agreement"] == {"items": 2, "mean": 1.0, "tenths": [0] * 9 + [2]} and f["annotators"] == {"count": 2, "items": [2, 2]}


def test_the_card_of_nothing(api, db):
    desk = Desk(api)
    f = desk("viewer").ok("GET", f"/v1/releases/{release(desk)['id']}/card")["figures"]
    assert f["items"] == 0 and f["labels"] == [] and f["splits"] == {} and f["agreement"] == {"items": 0, "mean": None, "tenths": [0] * 10}
    row = db.execute("""INSERT INTO release (tenant_id, project_id, name, state, split, salt, created_by)
        SELECT tenant_id, id, 'failed', 'failed', '{"all":1}', '', created_by FROM project WHERE id = %s RETURNING id""", (desk.project,)).fetchone()
    problem(desk("viewer").get(f"/v1/releases/{row[0]}/card"), 409)
    problem(desk("manager").get(f"/v1/releases/{row[0]}/lineage"), 409)


# ---- protection and the end ----

def test_a_protected_release_stays(api, db):
    desk = with_data(api, [{}] * 3)
    finish(desk, 3)
    built = release(desk)
    path = f"/v1/releases/{built['id']}"
    assert built["protected"]
    assert "protected" in problem(desk("manager").delete(path), 409, "conflict")["detail"]
    problem(desk("viewer").delete(path), 403)
    problem(desk("viewer").patch(path, json={"protected": False}), 403)
    problem(desk("manager").patch(path, json={}), 422, "invalid", "/protected")
    problem(desk("manager").patch(path, json={"protected": "no"}), 422, "invalid", "/protected")
    assert not desk("manager").ok("PATCH", path, json={"protected": False})["protected"]
    assert desk("manager").ok("PATCH", path, json={"protected": True}) == built
    for sql in ("UPDATE release SET state = 'deleting' WHERE id = %s", "UPDATE release SET card = NULL, protected = false WHERE id = %s"):
        with pytest.raises(Exception, match="cannot change"):
            db.execute(sql, (built["id"],))
    desk("manager").ok("PATCH", path, json={"protected": False})
    assert desk("manager").delete(path).status_code == 204
    problem(desk("viewer").get(path), 404)
    problem(desk("manager").delete(path), 404)
    assert desk("viewer").ok("GET", f"{desk.path}/releases") == {"releases": []}
    until(lambda: not db.execute("SELECT FROM release WHERE id = %s", (built["id"],)).fetchall(), 20, "it is not taken away")
    assert not db.execute("SELECT FROM release_item WHERE release_id = %s", (built["id"],)).fetchall()
    assert release(desk, built["name"], protected=False)["items"] == 3  # the name is free, the labels are all there


@pytest.mark.parametrize("end", ["export", "export?format=label-studio", "export?container=zip", "lineage", "diff"])
@pytest.mark.parametrize("left", [0, 2])
def test_what_is_being_deleted_is_not_sent_as_if_it_were_whole(api, db, left, end):
    """Some of its items are gone when its reader comes to them."""
    desk = with_data(api, [{}] * 4)
    finish(desk, 3)
    built = release(desk, protected=False)
    finish(desk, 1)
    path = f"/v1/releases/{built['id']}/{end}" + (f"/{release(desk, 'r2', salt='2')['id']}" if end == "diff" else "")
    assert desk("manager").get(path).status_code == 200
    db.execute("DELETE FROM release_item WHERE release_id = %s AND task_id IN (SELECT task_id FROM release_item WHERE release_id = %s "
               "ORDER BY task_id LIMIT %s)", (built["id"], built["id"], 3 - left))
    with pytest.raises(requests.RequestException):  # the connection is broken, or 409 while nothing has been sent
        desk("manager").get(path).raise_for_status()


def test_a_failed_release_can_be_deleted(api, db):
    desk = Desk(api)
    row = db.execute("""INSERT INTO release (tenant_id, project_id, name, state, split, salt, created_by)
        SELECT tenant_id, id, 'failed', 'failed', '{"all":1}', '', created_by FROM project WHERE id = %s RETURNING id""", (desk.project,)).fetchone()
    assert desk("manager").delete(f"/v1/releases/{row[0]}").status_code == 204
    until(lambda: not db.execute("SELECT FROM release WHERE id = %s", row).fetchall(), 20, "it is not taken away")
