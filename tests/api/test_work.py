"""Handing work in, at the edges: who is told what when an assignment is no longer theirs, and what is kept of it (I1)."""
import pytest

from kit import Desk, choice, problem, until

TEXT = """<View><Text name="text" value="$text"/><Labels name="span" toName="text"><Label value="NAME"/></Labels></View>"""


def beat(desk, role, work):
    return desk(role).ok("POST", "/v1/heartbeats", json={"assignments": [{"id": work["id"], "version": work["version"]}]})["results"][0]


@pytest.mark.parametrize("end", ["removed", "viewer"])
def test_who_left_the_project_keeps_no_lease(api, end):
    desk = Desk(api)
    work = desk.claim("annotator")
    assert "lease_expires_at" in beat(desk, "annotator", work)
    member = f"{desk.path}/members/{desk('annotator').user['id']}"
    if end == "removed":
        desk("admin").ok("DELETE", member, 204)
    else:
        desk("admin").ok("PUT", member, json={"role": "viewer"})
    assert beat(desk, "annotator", work) == {"id": work["id"], "error": "lease-lost"}


def test_an_administrator_keeps_a_lease_without_being_a_member(api):
    desk = Desk(api)
    admin = desk.claim("admin")
    desk("manager").ok("DELETE", f"{desk.path}/members/{desk('admin').user['id']}", 204)
    assert "lease_expires_at" in beat(desk, "admin", admin)


@pytest.fixture
def lost(api, db):
    """A task that annotator held and annotator2 holds now: (desk, what annotator had)."""
    desk = Desk(api)
    work = desk.claim("annotator")
    db.execute("UPDATE assignment SET state = 'open', lease_expires_at = NULL WHERE id = %s", (work["id"],))
    db.execute("""INSERT INTO event (tenant_id, project_id, task_id, task_version, assignment_id, assignment_version, action, from_state, to_state)
                  SELECT tenant_id, project_id, task_id, 1, id, version, 'expire', 'annotate', 'annotate' FROM assignment WHERE id = %s""",
               (work["id"],))
    desk.claim("annotator2", wait_s=5)
    return desk, work


def test_the_holder_before_is_told_the_same_by_all(lost):
    desk, work = lost
    path = f"/v1/assignments/{work['id']}"
    problem(desk.act("annotator", work, "submit", {"result": choice("cat")}), 412, "version-mismatch")
    problem(desk("annotator").put(f"{path}/draft", json={"result": choice("cat")}, version=work["version"]), 412, "version-mismatch")
    problem(desk.act("annotator", work, "heartbeat"), 409, "lease-lost")  # which is all that this is about
    problem(desk.act("annotator", work, "release"), 412, "version-mismatch")
    for verb in ("submit", "draft", "heartbeat", "release"):  # and who never held it
        method = "PUT" if verb == "draft" else "POST"
        body = {"result": choice("cat")} if verb in ("submit", "draft") else {}
        problem(desk("qa").request(method, f"{path}/{verb}", json=body, version=work["version"]), 409, "lease-lost")


def late_verdict(api, db, verdict, **rest):
    """A verdict of a reviewer whose work somebody else has claimed since; its answer, twice."""
    desk = Desk(api)
    desk.annotate()
    mine = desk.claim("reviewer", "review")
    db.execute("UPDATE assignment SET state = 'open', lease_expires_at = NULL WHERE id = %s", (mine["id"],))
    db.execute("""INSERT INTO event (tenant_id, project_id, task_id, task_version, assignment_id, assignment_version, action, from_state, to_state)
                  SELECT tenant_id, project_id, task_id, 2, id, version, 'expire', 'review', 'review' FROM assignment WHERE id = %s""", (mine["id"],))
    desk.claim("manager", "review", wait_s=5)
    body = {"verdict": verdict, "comments": [{"text": "look here", "region": "c1"}, {"text": "and here"}], **rest}
    return desk, [problem(desk.act("reviewer", mine, "verdict", body), 412, "version-mismatch") for _ in range(2)]


@pytest.mark.parametrize("verdict, rest", [("reject", {}), ("accept", {}), ("fix", {"result": choice("dog")})])
def test_comments_of_a_late_verdict_are_kept(api, db, verdict, rest):
    desk, answers = late_verdict(api, db, verdict, **rest)
    comments = desk("viewer").ok("GET", f"/v1/tasks/{desk.tasks[0]}/comments")["comments"]
    assert [(c["text"], c["region"], c["author"]) for c in comments] == [
        ("look here", "c1", desk("reviewer").user["id"]), ("and here", None, desk("reviewer").user["id"])]  # once, though sent twice
    assert all("kept" in a["detail"] for a in answers) and ("late_label" in answers[0]) == (verdict == "fix")


def test_who_never_held_it_leaves_no_comments(api):
    desk = Desk(api)
    desk.annotate()
    theirs = desk.claim("reviewer", "review")
    problem(desk.act("qa", theirs, "verdict", {"verdict": "reject", "comments": [{"text": "x"}]}), 409, "lease-lost")
    assert desk("viewer").ok("GET", f"/v1/tasks/{desk.tasks[0]}/comments")["comments"] == []


def test_pointers_into_predictions_are_escaped(api):
    desk = Desk(api, workflow={"prelabel": True})
    work = desk.claim("model", "prelabel")
    entry = {"assignment": work["id"], "version": work["version"], "model": "m", "result": [], "a/b~c": 1}
    problem(desk("model").post(f"{desk.path}/predictions", json={"predictions": [entry]}), 422, "invalid", "/predictions/0/a~1b~0c")
    problem(desk("model").post(f"{desk.path}/predictions", json={"predictions": [entry | {"a/b~c": 1}, 7]}), 422)
    problem(desk("model").post(f"{desk.path}/predictions", json={"predictions": [7]}), 422, "invalid", "/predictions/0")


def span(start, end):
    return [{"id": "s1", "from_name": "span", "to_name": "text", "type": "labels", "value": {"start": start, "end": end, "labels": ["NAME"]}}]


def test_predictions_lie_within_the_text(api):
    desk = Desk(api, tasks=0, workflow={"prelabel": True}, label_config=TEXT)
    made = api.tasks(desk.project, [{"text": "Grüße, Ada"}, {"text": "x" * 50}])
    desk.tasks = list(range(made["first_id"], made["last_id"] + 1))
    short, long = sorted(desk.claims("model", "prelabel", count=2), key=lambda w: w["task"]["id"])

    def entry(work, start, end):
        return {"assignment": work["id"], "version": work["version"], "model": "m", "result": span(start, end)}
    results = desk("model").ok("POST", f"{desk.path}/predictions", json={"predictions": [entry(short, 7, 40), entry(long, 7, 40)]})["results"]
    assert results[0]["error"] == "label-invalid" and results[0]["pointer"].startswith("/result/0/value"), results
    assert results[1]["label"] and desk.state(desk.tasks[0]) == "prelabel"
    assert desk("model").ok("POST", f"{desk.path}/predictions", json={"predictions": [entry(short, 7, 10)]})["results"][0]["label"]


def test_bulk_accepts_count_as_reviews(api, start_worker):
    desk = Desk(api, tasks=3, workflow={"review": {"mode": "all"}})
    for _ in range(3):
        desk.annotate()
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    accepted = desk("manager").ok("POST", f"{desk.path}/accept", json={"stage": "review"})["accepted"]
    assert len(accepted) == 2
    start_worker("upkeep", poll_ms=20)

    def mine():
        people = desk("manager").ok("GET", f"{desk.path}/quality")["people"]
        return next(p for p in people if p["user"] == desk("annotator").user["id"])
    until(lambda: mine()["accepted"] == 3, what="bulk accepts are not counted")
    assert (mine()["submitted"], mine()["fixed"], mine()["rejected"]) == (3, 0, 0) and mine()["rejection_rate"]["rate"] == 0
    work = next(p for p in desk("manager").ok("GET", f"{desk.path}/people")["people"] if p["user"] == desk("manager").user["id"])["work"]
    assert next(w for w in work if w["stage"] == "review")["actions"]["accept"] == 2
