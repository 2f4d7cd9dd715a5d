"""Faults once found by reading: a version guessed, two slots of one person, neighbours in a batch, pauses and
drains under waiting claims, large bodies side by side, accounts that have ended."""
import json
import threading
import time

import pytest
import requests

import stand
from kit import Desk, Line, broken_rules, choice, people, problem, until


def expire(db, assignment):
    """What upkeep does when a lease has run out."""
    db.execute("UPDATE assignment SET state = 'open', lease_expires_at = NULL WHERE id = %s AND state = 'leased'", (assignment["id"],))


def together(calls):
    """The answers of calls made at the same time."""
    answers = [None] * len(calls)

    def run(i):
        answers[i] = calls[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


# ---- the version is a fence only for who has claimed it (I3) ----

def test_nobody_acts_under_a_version_they_have_not_claimed(api, db):
    desk = Desk(api, workflow={"review": {"mode": "all"}, "max_rework": 0})
    work = desk.claim("annotator")
    desk.done("annotator", work, "skip")
    guessed = work["version"] + 1
    problem(desk.act("annotator", work, "submit", {"result": choice("cat")}, version=guessed), 409, "lease-lost")
    problem(desk.act("annotator", work, "heartbeat", version=guessed), 409, "lease-lost")
    assert db.execute("SELECT state FROM assignment WHERE id = %s", (work["id"],)).fetchone()[0] == "open"
    again = desk.claim("annotator2")
    desk.submit("annotator2", again)
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    problem(desk.act("annotator2", again, "submit", {"result": choice("dog")}, version=again["version"] + 1), 409, "lease-lost")
    assert desk.state() == "annotate"
    broken_rules(db)


def test_an_inspector_has_not_claimed_what_a_manager_sends_to_qa(api):
    desk = Desk(api, workflow={"qa": {"percent": 100}})
    desk.annotate()
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    inspected = desk.claim("qa", "qa")
    desk.verdict("qa", inspected, "reject")
    assert desk("manager").ok("POST", f"{desk.path}/accept", json={"stage": "review"})["accepted"][0]["state"] == "qa"
    problem(desk.act("qa", inspected, "verdict", {"verdict": "accept"}, version=inspected["version"] + 1), 409, "lease-lost")
    assert desk.state() == "qa"


def test_who_gave_up_their_rework_does_not_judge_what_they_had_made(api):
    """The merged label is of two; one of them gets it back, gives it up, and so has no slot of it any more."""
    desk = Desk(api, workflow={"overlap": 2, "skip_limit": 1, "qa": {"percent": 100}})
    desk.annotate("reviewer")
    desk.annotate("annotator")
    assert desk.labels()[-1]["kind"] == "merge"
    desk.verdict("manager", desk.claim("manager", "review"), "reject")
    assert desk.done("reviewer", desk.claim("reviewer"), "skip")["task"]["state"] == "skipped"
    desk.move("reopen", to="review")
    assert desk.claims("reviewer", "review") == []
    assert len(desk.claims("qa", "review")) == 1


def test_a_reviewer_whose_fix_failed_qa_does_not_judge_it_again(api, db):
    desk = Desk(api, workflow={"review": {"mode": "all"}, "qa": {"percent": 100}})
    desk.annotate()
    review = desk.claim("reviewer", "review")
    desk.verdict("reviewer", review, "fix", result=choice("dog"))
    desk.verdict("qa", desk.claim("qa", "qa"), "reject")
    problem(desk.act("reviewer", review, "verdict", {"verdict": "accept"}, version=review["version"] + 1), 409, "lease-lost")
    assert desk.state() == "review"


# ---- two slots of one task and one person ----

@pytest.fixture
def two_slots(api, db):
    """annotator2's lapsed slot of a task, and the other one, which annotator2 holds."""
    desk = Desk(api, workflow={"overlap": 2, "review": {"mode": "none"}})
    lapsed = desk.claim("annotator2")
    other = desk.claim("annotator")
    expire(db, lapsed)
    desk.done("annotator", other, "release")
    db.execute("UPDATE assignment SET rank = 1 WHERE id = %s", (lapsed["id"],))
    held = desk.claim("annotator2")
    assert held["id"] == other["id"] != lapsed["id"]
    return desk, lapsed, held


def test_a_label_for_a_lapsed_second_slot_is_kept(two_slots, db):
    desk, lapsed, _ = two_slots
    kept = problem(desk.act("annotator2", lapsed, "submit", {"result": choice("dog")}), 409, "conflict")
    assert desk.result(kept["late_label"]) == choice("dog")
    problem(desk.act("annotator2", lapsed, "skip"), 409, "conflict")


def test_a_heartbeat_that_cannot_be_harms_no_other(two_slots, api, db):
    desk, lapsed, held = two_slots
    beat = [{"id": a["id"], "version": a["version"]} for a in (lapsed, held)]
    results = desk("annotator2").ok("POST", "/v1/heartbeats", json={"assignments": beat})["results"]
    assert results[0].get("error") == "lease-lost" and "lease_expires_at" in results[1]
    expire(db, held)  # both have lapsed: one of them lives again
    results = desk("annotator2").ok("POST", "/v1/heartbeats", json={"assignments": beat})["results"]
    assert ["error" in r for r in results].count(True) == 1
    assert db.execute("SELECT count(*) FROM assignment WHERE task_id = %s AND state = 'leased'", (desk.tasks[0],)).fetchone()[0] == 1


def test_a_heartbeat_for_anothers_lease_is_refused_in_the_same_batch(server, api, db):
    desk = Desk(api)
    work = desk.claim("annotator")
    beat = {"assignments": [{"id": work["id"], "version": work["version"]}]}
    lines = [Line(server, desk(role).headers["Authorization"].split()[1]) for role in ("annotator", "annotator2") * 8]
    for _ in range(10):
        for line in lines:
            line.send("POST", "/v1/heartbeats", beat)
        for i, line in enumerate(lines):
            status, body = line.answer()
            assert status == 200 and ("error" in body["results"][0]) == (i % 2 == 1), (i, body)


# ---- bodies side by side ----

def test_large_labels_do_not_fail_each_other(server, api, db):
    desk = Desk(api, tasks=24, workflow={"review": {"mode": "none"}})
    work = desk.claims("annotator", count=24)
    note = "x" * 3_900_000
    result = [choice("cat")[0] | {"note": note}]
    answers = together([lambda a=a: requests.post(f"{server.url}/v1/assignments/{a['id']}/submit", json={"result": result}, headers={
        "If-Match": f'"{a["version"]}"', "Authorization": desk("annotator").headers["Authorization"]}, timeout=60) for a in work])
    assert [a.status_code for a in answers] == [200] * 24
    broken_rules(db)


def test_an_import_with_much_meta_is_cut_into_statements(api, server):
    desk = Desk(api, tasks=0)
    lines = b"\n".join(json.dumps({"data": {"image": f"/{i}.png"}, "meta": {"m": "x" * 100_000}}).encode() for i in range(700))
    answer = desk("manager").post(f"{desk.path}/tasks", data=lines, headers={"Content-Type": "application/x-ndjson"}, timeout=60)
    assert answer.status_code == 201 and answer.json()["created"] == 700, answer.text


def test_an_import_takes_the_depth_it_promises(api):
    desk = Desk(api, tasks=0)
    deep = {"image": "/1.png", "x": json.loads("[" * 61 + "]" * 61)}  # data, and what lies in it: 64 with the array around
    made = desk("manager").post(f"{desk.path}/tasks", json=[deep])
    assert made.status_code == 201, made.text


def test_what_a_lost_race_had_packed_gets_a_pack_row(server, api, db):
    """Two requests for one task in one batch: the first ends without writing, the second brings the label."""
    desk = Desk(api, tasks=40, workflow={"allow_skip": False, "review": {"mode": "none"}})
    work = desk.claims("annotator", count=40)
    token = desk("annotator").headers["Authorization"].split()[1]
    lines = [Line(server, token) for _ in range(80)]
    for i, a in enumerate(work):
        path = f"/v1/assignments/{a['id']}"
        lines[2 * i].send("POST", path + "/skip", {}, a["version"])
        lines[2 * i + 1].send("POST", path + "/submit", {"result": choice("cat")}, a["version"])
    answers = [line.answer()[0] for line in lines]
    assert answers == [409, 200] * 40
    broken_rules(db)


# ---- accounts ----

def account(api, server, admin=False):
    """A new user of tenant a, logged in: (id, client)."""
    name = f"u{time.monotonic_ns()}@a.example"
    made = api("admin").ok("POST", "/v1/users", 201, json={"email": name, "name": "New", "password": stand.PASSWORD, "admin": admin})
    client = stand.Client(server.url)
    client.login(name, stand.PASSWORD)
    return made["id"], client


def test_a_disabled_account_is_out_everywhere(api, server, db):
    user, client = account(api, server, admin=True)
    client.ok("GET", "/v1/tokens")
    client.ok("GET", "/v1/users")
    db.execute("UPDATE app_user SET disabled = true WHERE id = %s", (user,))
    until(lambda: client.get("/v1/tokens").status_code == 401, 10)
    for method, path in (("POST", "/v1/tokens"), ("GET", "/v1/users"), ("GET", "/v1/projects"), ("POST", "/v1/heartbeats")):
        assert client.request(method, path, json={"name": "x"}).status_code == 401, path
    assert client.post("/v1/assets", data=b"text").status_code == 401


def test_a_former_administrator_is_one_no_more(api, server, db):
    project = api.project()
    user, client = account(api, server, admin=True)
    client.ok("GET", f"/v1/projects/{project}")
    db.execute("UPDATE app_user SET admin = false WHERE id = %s", (user,))
    until(lambda: client.get("/v1/users").status_code == 403, 10)
    assert client.get(f"/v1/projects/{project}").status_code == 404


# ---- claims that wait ----

def waiting(server, client, path, **settings):
    """A claim on its way: a Line to take the answer from."""
    line = Line(server, client.headers["Authorization"].split()[1])
    line.send("POST", f"{path}/claims", {"stage": "annotate", "wait_s": 30, **settings})
    return line


def test_a_pause_holds_for_claims_that_wait(api, server):
    desk = Desk(api, tasks=0)
    line = waiting(server, desk("annotator"), desk.path, wait_s=4)
    time.sleep(0.3)
    project = desk("manager").ok("GET", desk.path)
    project = desk("manager").ok("PATCH", desk.path, json={"paused": True}, version=project["version"])
    api.tasks(desk.project, [{"image": "/1.png"}])
    status, body = line.answer()
    assert status == 200 and body["assignments"] == []
    desk("manager").ok("PATCH", desk.path, json={"paused": False}, version=project["version"])
    assert len(desk.claims("annotator", wait_s=5)) == 1


def test_a_paused_project_still_shows_what_one_holds(api):
    desk = Desk(api)
    work = desk.claim("annotator")
    project = desk("manager").ok("GET", desk.path)
    desk("manager").ok("PATCH", desk.path, json={"paused": True}, version=project["version"])
    assert [a["id"] for a in desk.claims("annotator")] == [work["id"]]


def test_a_drain_answers_claims_that_wait(api, start_server):
    desk = Desk(api, tasks=0)
    other = start_server(drain_ms=20000)
    client = stand.Client(other.url, "annotator")
    lines = [waiting(other, client, desk.path, wait_s=60) for _ in range(20)]
    time.sleep(0.5)
    begin = time.monotonic()
    other.proc.terminate()
    for line in lines:
        status, body = line.answer()
        assert status == 200 and body["assignments"] == []
    assert other.proc.wait(10) == 0 and time.monotonic() - begin < 5


def test_all_who_wait_are_served_when_there_is_work_for_all(api, server, db):
    desk = Desk(api, tasks=0)
    lines = [Line(server, token) for _, token in people(db, server, api, desk.project, 150)]
    for line in lines:
        line.send("POST", f"{desk.path}/claims", {"stage": "annotate", "wait_s": 30})
    time.sleep(0.5)
    begin = time.monotonic()
    api.tasks(desk.project, [{"image": f"/{i}.png"} for i in range(150)])
    got = [line.answer()[1]["assignments"] for line in lines]
    assert all(len(a) == 1 for a in got) and len({a[0]["id"] for a in got}) == 150
    assert time.monotonic() - begin < 10


def test_reserved_work_of_one_hides_nobody_elses(server, api, db):
    """Many reservations of one person and a claim of another in the same batch."""
    desk = Desk(api, tasks=301, workflow={"review": {"mode": "all"}})
    first, second = desk("annotator").user["id"], desk("annotator2").user["id"]
    db.execute("""UPDATE assignment SET reserved_for = %s, reserved_until = now() + interval '1 hour' WHERE project_id = %s""",
               (min(first, second), desk.project))
    last = max(desk.tasks)
    db.execute("UPDATE assignment SET reserved_for = %s WHERE task_id = %s", (max(first, second), last))
    tokens = [desk(role).headers["Authorization"].split()[1] for role in ("annotator", "annotator2")]
    lines = [Line(server, t) for t in tokens]
    for _ in range(5):
        for line in lines:
            line.send("POST", f"{desk.path}/claims", {"stage": "annotate"})
        for line in lines:
            status, body = line.answer()
            assert status == 200 and len(body["assignments"]) == 1
