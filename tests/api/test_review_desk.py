"""The review desk: threads of comments, acceptance in bulk, the versions of an adjudication side by side, QA's figures."""
import pytest

from kit import BOXES, Desk, box, choice, people, problem
from stand import ROOT


def comment(desk, role, text="look", task=None, **more):
    return desk(role).ok("POST", f"/v1/tasks/{task or desk.tasks[0]}/comments", 201, json={"text": text, **more})


def resolve(desk, role, which, resolved=True, task=None):
    return desk(role).patch(f"/v1/tasks/{task or desk.tasks[0]}/comments/{which['id']}", json={"resolved": resolved})


def comments(desk, task=None):
    return desk("viewer").ok("GET", f"/v1/tasks/{task or desk.tasks[0]}/comments")["comments"]


# ---- threads ----

def test_a_thread_anchored_to_a_region(api):
    desk = Desk(api, label_config=BOXES)
    desk.submit("annotator", desk.claim("annotator"), box())
    first = comment(desk, "reviewer", "too wide", region="b1")
    assert first["author"] == desk("reviewer").user["id"] and first["region"] == "b1" and first["parent"] is None
    reply = comment(desk, "annotator", "the heel belongs to it", parent=first["id"])
    assert reply["parent"] == first["id"] and reply["region"] == "b1"
    again = comment(desk, "reviewer", "right", parent=reply["id"])  # threads are flat
    assert again["parent"] == first["id"]
    whole = comment(desk, "qa", "and what is this?")
    assert whole["region"] is None
    assert [(c["id"], c["parent"]) for c in comments(desk)] == [
        (first["id"], None), (reply["id"], first["id"]), (again["id"], first["id"]), (whole["id"], None)]


def test_a_thread_is_resolved_as_a_whole_and_who_did_it_stays(api):
    desk = Desk(api)
    desk.annotate()
    first = comment(desk, "reviewer")
    reply = comment(desk, "annotator", "done", parent=first["id"])
    other = comment(desk, "reviewer", "another matter")
    done = resolve(desk, "annotator", first)
    assert done.status_code == 200 and done.json()["resolved"] and done.json()["resolved_by"] == desk("annotator").user["id"]
    assert resolve(desk, "manager", first).json() == done.json()  # it is resolved already: the first who did it stays
    assert [(c["id"], c["resolved"]) for c in comments(desk)] == [(first["id"], True), (reply["id"], True), (other["id"], False)]
    problem(desk("reviewer").post(f"/v1/tasks/{desk.tasks[0]}/comments", json={"text": "x", "parent": reply["id"]}), 409, "conflict",
            "/parent")
    problem(resolve(desk, "reviewer", reply, False), 409, "conflict")
    opened = resolve(desk, "reviewer", first, False).json()
    assert not opened["resolved"] and opened["resolved_by"] is None and opened["resolved_at"] is None
    comment(desk, "reviewer", "not quite", parent=first["id"])
    resolve(desk, "qa", first)
    history = desk("viewer").ok("GET", f"/v1/tasks/{desk.tasks[0]}/comments/{first['id']}/history")["changes"]
    assert [(h["resolved"], h["actor"]) for h in history] == [
        (True, desk("annotator").user["id"]), (False, desk("reviewer").user["id"]), (True, desk("qa").user["id"])]
    assert all(h["at"] for h in history)


def test_open_threads_come_with_the_claim(api):
    desk = Desk(api)
    desk.annotate()
    first = desk.claim("reviewer", "review")
    desk.verdict("reviewer", first, "reject", comments=[{"text": "wrong", "region": "c1"}, {"text": "and blurred"}])
    wrong, blurred = comments(desk)
    comment(desk, "manager", "see the guideline", parent=wrong["id"])
    resolve(desk, "reviewer", blurred)
    shown = desk.claim("annotator")["comments"]
    assert [(c["text"], c["parent"], c["region"]) for c in shown] == [("wrong", None, "c1"), ("see the guideline", wrong["id"], "c1")]


def test_a_comment_on_fresh_work_comes_with_its_first_claim(api):
    desk = Desk(api)
    comment(desk, "manager", "the left one only")
    work = desk.claim("annotator")
    assert [c["text"] for c in work["comments"]] == ["the left one only"]
    desk.submit("annotator", work)


def test_annotators_comment_on_their_own_work_only(api):
    desk = Desk(api, tasks=2)
    held, other = desk.claim("annotator"), desk.tasks[1]
    first = comment(desk, "annotator", "is this a cat?", task=held["task"]["id"])
    path = f"/v1/tasks/{held['task']['id']}/comments"
    problem(desk("annotator2").post(path, json={"text": "yes", "parent": first["id"]}), 403, "forbidden")
    problem(resolve(desk, "annotator2", first, task=held["task"]["id"]), 403, "forbidden")
    problem(desk("annotator").post(f"/v1/tasks/{other}/comments", json={"text": "x"}), 403, "forbidden")
    desk.submit("annotator", held)
    comment(desk, "annotator", "I was not sure", task=held["task"]["id"])  # worked on it
    for role in ("reviewer", "qa", "manager", "viewer", "admin"):
        comment(desk, role, role, task=held["task"]["id"], parent=first["id"])
    assert len(comments(desk, held["task"]["id"])) == 7 and comments(desk, other) == []


@pytest.mark.parametrize("body, pointer", [
    ({}, "/text"), ({"text": ""}, "/text"), ({"text": "x" * 10001}, "/text"), ({"text": 1}, "/text"),
    ({"text": "x", "region": "r" * 201}, "/region"), ({"text": "x", "region": 1}, "/region"), ({"text": "x", "parent": 0}, "/parent"),
    ({"text": "x", "parent": "1"}, "/parent"), ({"text": "x", "parent": 1 << 50}, "/parent"),
    ({"text": "x", "parent": 1, "region": "a"}, "/region"), ({"text": "x", "more": 1}, "/more")])
def test_comments_that_are_none(api, body, pointer):
    desk = Desk(api)
    problem(desk("reviewer").post(f"/v1/tasks/{desk.tasks[0]}/comments", json=body), 422, "invalid", pointer)
    assert comments(desk) == []


def test_a_thread_of_another_task(api):
    desk = Desk(api, tasks=2)
    first = comment(desk, "reviewer")
    problem(desk("reviewer").post(f"/v1/tasks/{desk.tasks[1]}/comments", json={"text": "x", "parent": first["id"]}), 422, "invalid", "/parent")
    problem(resolve(desk, "reviewer", first, task=desk.tasks[1]), 404, "not-found")
    for bad in ({}, {"resolved": 1}, {"resolved": None}):
        problem(desk("reviewer").patch(f"/v1/tasks/{desk.tasks[0]}/comments/{first['id']}", json=bad), 422, "invalid", "/resolved")


def test_the_same_comment_under_one_key_is_one(api):
    desk = Desk(api)
    path = f"/v1/tasks/{desk.tasks[0]}/comments"
    one, two = (desk("reviewer").post(path, json={"text": "once"}, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert one.status_code == 201 and one.json() == two.json() and len(comments(desk)) == 1


# ---- QA's figures ----

def qa(desk, **query):
    return desk("qa").ok("GET", f"{desk.path}/qa", params=query)


def inspect(desk, verdict, author="annotator", **rest):
    desk.annotate(author)
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    desk.verdict("qa", desk.claim("qa", "qa"), verdict, **rest)


def test_what_the_sample_says(api):
    desk = Desk(api, tasks=10, workflow={"qa": {"percent": 100}})
    nothing = qa(desk)
    assert (nothing["inspected"], nothing["rate"], nothing["low"], nothing["high"], nothing["annotators"]) == (0, 0, 0, 1, [])
    for verdict in ("accept", "accept", "accept", "accept", "accept", "fix"):
        inspect(desk, verdict, **({"result": choice("dog")} if verdict == "fix" else {}))
    inspect(desk, "accept", "annotator2")
    inspect(desk, "reject", "annotator2")
    figures = qa(desk)
    assert (figures["inspected"], figures["defective"], figures["rate"], figures["confidence"]) == (8, 2, 0.25, 0.95)
    for bound in (figures["low"], figures["high"]):  # Wilson's bounds: those shares from which 2 of 8 is just z = 1.96 sigmas away
        assert abs((0.25 - bound) ** 2 - 1.959964 ** 2 * bound * (1 - bound) / 8) < 1e-6
    assert figures["low"] < 0.25 < figures["high"]
    people = {desk("annotator").user["id"]: (6, 1), desk("annotator2").user["id"]: (2, 1)}
    assert {a["user"]: (a["inspected"], a["defective"]) for a in figures["annotators"]} == people
    page = qa(desk, limit=1)
    assert [a["user"] for a in page["annotators"]] == [min(people)] and page["inspected"] == 8
    assert [a["user"] for a in qa(desk, limit=1, after=page["next"])["annotators"]] == [max(people)]
    assert "verdict" not in figures
    assert [qa(desk, max_permille=n)["verdict"] for n in (50, 300, 600)] == ["refuse", "inspect-more", "accept"]
    assert qa(desk, confidence=50)["high"] < qa(desk, confidence=99)["high"]
    for bad in ("confidence=100", "confidence=x", "max_permille=0", "max_permille=1001"):
        problem(desk("qa").get(f"{desk.path}/qa?{bad}"), 422, "invalid")


def test_a_defect_of_a_merge_is_of_all_who_agreed(api):
    desk = Desk(api, workflow={"qa": {"percent": 100}, "overlap": 2, "review": {"mode": "none"}})
    desk.annotate("annotator")
    desk.annotate("annotator2")
    desk.verdict("qa", desk.claim("qa", "qa"), "fix", result=choice("dog"))
    figures = qa(desk)
    assert (figures["inspected"], figures["defective"]) == (1, 1)
    assert [(a["inspected"], a["defective"]) for a in figures["annotators"]] == [(1, 1), (1, 1)]


def test_the_figures_stay_exact_when_folded(api, cluster, database, db):
    desk = Desk(api, tasks=3, workflow={"qa": {"percent": 100}})
    for _ in range(3):
        inspect(desk, "accept")
    before, rows = qa(desk), "SELECT count(*) FROM qa_check WHERE project_id = %s"
    assert db.execute(rows, (desk.project,)).fetchone()[0] == 6
    with cluster.connect(database, "annotate_worker") as c:
        c.execute(f"PREPARE fold AS {(ROOT / 'schema/queries/qa_fold.sql').read_text()}")
        c.execute("EXECUTE fold(0)")
    assert db.execute(rows, (desk.project,)).fetchone()[0] == 2 and qa(desk) == before


# ---- acceptance in bulk ----

def bulk(desk, role="manager", **body):
    return desk(role).ok("POST", f"{desk.path}/accept", json=body)


def in_review(api, tasks, **settings):
    desk = Desk(api, tasks=tasks, **settings)
    for _ in range(tasks):
        desk.annotate()
    return desk


def test_a_manager_accepts_many(api):
    desk = in_review(api, 4)
    answer = bulk(desk, tasks=[*desk.tasks[:3], desk.tasks[0], 1 << 40])
    assert answer == {"accepted": [{"id": t, "state": "done", "version": 3} for t in desk.tasks[:3]], "next": None,
                      "refused": [{"task": 1 << 40, "error": "not-found", "detail": "there is no such task in the project"}]}
    assert desk.progress()["tasks"]["done"] == 3 and desk.progress()["actions"]["accept"] == 3
    event = desk.events()[-1]
    assert event["action"] == "accept" and event["actor"] == desk("manager").user["id"] and event["detail"] == {"bulk": True}
    again = bulk(desk, tasks=desk.tasks[:1])
    assert again["accepted"] == [] and again["refused"][0]["error"] == "conflict"
    assert desk.state(desk.tasks[3]) == "review"


def test_a_stage_is_accepted_page_by_page(api):
    desk = in_review(api, 5, workflow={"qa": {"percent": 100}})
    got, page, pages = [], {"next": 0}, 0
    while page["next"] is not None:
        page = bulk(desk, stage="review", limit=2, after=page["next"])
        got += [t["id"] for t in page["accepted"]]
        pages += 1
    assert got == desk.tasks and pages == 3
    assert desk.claims("manager", "qa", count=5) == []  # who accepted does not inspect
    assert bulk(desk, stage="qa")["refused"][0]["error"] == "forbidden"
    answer = bulk(desk, "admin", stage="qa")
    assert [t["state"] for t in answer["accepted"]] == ["done"] * 5 and desk.progress()["actions"]["pass"] == 5
    assert qa(desk)["inspected"] == 0  # no inspection


def test_nobody_accepts_their_own_work_in_bulk(api):
    desk = Desk(api, tasks=2)
    own = desk.submit("manager", desk.claim("manager"))["task"]["id"]
    other = desk.annotate()["task"]["id"]
    answer = bulk(desk, stage="review")
    assert [t["id"] for t in answer["accepted"]] == [other]
    assert [(t["task"], t["error"]) for t in answer["refused"]] == [(own, "forbidden")] and desk.state(own) == "review"


def test_a_lease_ends_when_its_task_is_accepted_in_bulk(api):
    desk = in_review(api, 1)
    held = desk.claim("reviewer", "review")
    bulk(desk, tasks=desk.tasks)
    answer = problem(desk.act("reviewer", held, "verdict", {"verdict": "fix", "result": choice("dog")}), 412, "version-mismatch")
    assert desk.result(answer["late_label"]) == choice("dog") and desk.state() == "done"
    problem(desk.act("reviewer", held, "heartbeat"), 409)


def test_who_accepted_in_bulk_does_not_review_what_fails(api):
    desk = in_review(api, 1, workflow={"qa": {"percent": 100}})
    bulk(desk, tasks=desk.tasks)
    desk.verdict("qa", desk.claim("qa", "qa"), "reject")
    assert desk.state() == "review" and desk.claims("manager", "review") == []
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")


def test_tasks_of_another_project_are_not_there(api):
    desk, other = in_review(api, 1), in_review(api, 1)
    answer = bulk(desk, tasks=other.tasks)
    assert answer["accepted"] == [] and answer["refused"][0]["error"] == "not-found" and other.state() == "review"


@pytest.mark.parametrize("body, pointer", [
    ({}, "/tasks"), ({"tasks": []}, "/tasks"), ({"tasks": [0]}, "/tasks/0"), ({"tasks": [1, "2"]}, "/tasks/1"), ({"tasks": 1}, "/tasks"),
    ({"tasks": [1], "stage": "review"}, "/tasks"), ({"stage": "annotate"}, "/stage"), ({"stage": "review", "limit": 501}, "/limit"),
    ({"tasks": list(range(1, 502))}, "/tasks"), ({"stage": "review", "x": 1}, "/x")])
def test_bulk_acceptance_that_is_none(api, body, pointer):
    desk = in_review(api, 1)
    problem(desk("manager").post(f"{desk.path}/accept", json=body), 422, "invalid", pointer)
    assert desk.state() == "review"


def test_bulk_acceptance_under_one_key_happens_once(api):
    desk = in_review(api, 2)
    one, two = (desk("manager").post(f"{desk.path}/accept", json={"stage": "review"}, headers={"Idempotency-Key": "b"}) for _ in range(2))
    assert one.status_code == 200 and one.json() == two.json() and len(one.json()["accepted"]) == 2


# ---- escalation ----

def test_work_that_is_sent_back_too_often_comes_first_and_says_so(api):
    desk = Desk(api, tasks=3, workflow={"max_rework": 1})
    last = desk.tasks[0]
    work = desk.claim("annotator")
    desk.submit("annotator", work)
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    assert desk.task(last)["priority"] == 0
    work = next(w for w in desk.claims("annotator", count=3) if w["task"]["id"] == last)
    desk.submit("annotator", work)
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    task = desk.task(last)
    assert task["priority"] == 100 and task["rework_count"] == 2
    assert [e["detail"] for e in desk.events(last) if e["action"] == "reject"] == [None, {"escalated": True}]
    assert desk.claim("annotator2")["task"]["id"] == last  # before all others, for somebody else


# ---- adjudication ----

def test_submissions_that_do_not_agree_stand_side_by_side(api):
    desk = Desk(api, workflow={"overlap": 2, "agreement": {"threshold": 1}})
    one, two = desk.annotate("annotator", "cat")["label"], desk.annotate("annotator2", "dog")["label"]
    work = desk.claim("reviewer", "review")
    assert [(v["id"], v["author"], v["result"]) for v in work["labels"]] == [
        (one["id"], desk("annotator").user["id"], choice("cat")), (two["id"], desk("annotator2").user["id"], choice("dog"))]
    assert work["label"]["id"] == two["id"] and work["predictions"] == []
    desk.verdict("reviewer", work, "fix", result=choice("cat"))
    assert desk.state() == "done" and desk.result(desk.task()["head_label"]) == choice("cat")


@pytest.mark.parametrize("overlap, values", [(1, ["cat"]), (2, ["cat", "cat"])])
def test_nothing_to_adjudicate(api, overlap, values):
    desk = Desk(api, workflow={"overlap": overlap})
    for role, value in zip(("annotator", "annotator2"), values):
        work = desk.claim(role)
        assert work["labels"] == []
        desk.submit(role, work, value)
    work = desk.claim("reviewer", "review")
    assert work["labels"] == [] and work["label"]["result"] == choice("cat")


def test_what_was_sent_back_is_one_persons_again(api):
    desk = Desk(api, workflow={"overlap": 2, "agreement": {"threshold": 1}})
    desk.annotate("annotator", "cat")
    desk.annotate("annotator2", "dog")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    desk.annotate("annotator", "dog")
    assert desk.claim("reviewer", "review")["labels"] == []
