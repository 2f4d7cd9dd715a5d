"""The way of a task, from import to release, as people and models go it over HTTP."""
import hashlib
import json

import pytest

from kit import BOXES, Desk, box, choice, problem
from stand import CHOICES

ALWAYS_QA = {"qa": {"percent": 100}}
NO_REVIEW = {"review": {"mode": "none"}}


def test_accepted_at_once(api):
    desk = Desk(api)
    work = desk.claim("annotator")
    assert work["task"]["data"] == {"image": "/0.png"} and work["stage"] == "annotate" and work["slot"] == 1
    assert (work["label"], work["draft"], work["predictions"], work["comments"]) == (None, None, [], [])
    desk("annotator").ok("PUT", f"/v1/assignments/{work['id']}/draft", version=work["version"], json={"result": choice("dog")})
    later = desk.done("annotator", work, "heartbeat", {"lease_s": 3600})
    assert later["lease_expires_at"] > work["lease_expires_at"] and later["version"] == work["version"]
    again = desk.claim("annotator")  # one's own lease comes back, with the draft
    assert again["id"] == work["id"] and again["version"] == work["version"] and again["draft"]["result"] == choice("dog")
    answer = desk.submit("annotator", work, "cat", lead_time=12.5)
    assert answer["task"] == {"id": desk.tasks[0], "state": "review", "version": 2} and answer["label"]["seq"] == 1

    judge = desk.claim("reviewer", "review")
    assert judge["label"]["id"] == answer["label"]["id"] and judge["label"]["result"] == choice("cat")
    assert judge["label"]["author"] == desk("annotator").user["id"]
    assert desk.verdict("reviewer", judge, "accept") == {"task": {"id": desk.tasks[0], "state": "done", "version": 3}, "label": None}
    assert desk.actions() == ["import", "claim", "submit", "claim", "accept"]
    assert desk("annotator").get(f"/v1/assignments/{work['id']}/draft").status_code == 404  # handed in: the draft is gone
    assert desk.progress() == {"tasks": {s: int(s == "done") for s in ("prelabel", "annotate", "review", "qa", "done", "skipped", "archived")},
                               "labels": {"submission": 1}, "actions": {"import": 1, "submit": 1, "accept": 1}, "total": 1}


def test_fixed_in_review(api):
    desk = Desk(api)
    first = desk.annotate(value="cat")["label"]
    answer = desk.verdict("reviewer", desk.claim("reviewer", "review"), "fix", result=choice("dog"), lead_time=3)
    assert answer["task"]["state"] == "done" and answer["label"]["seq"] == 2
    old, new = desk.labels()
    assert (old["kind"], new["kind"], new["parent"], new["author"]) == ("submission", "review_fix", first["id"],
                                                                        desk("reviewer").user["id"])
    assert new["lead_time"] == 3 and desk.task()["head_label"] == new["id"]
    assert desk.result(old["id"]) == choice("cat") and desk.result(new["id"]) == choice("dog")


def test_rejected_and_done_again_by_the_same_person(api):
    desk = Desk(api)
    desk.annotate("annotator", "cat")
    comments = [{"text": "Look again: this is a dög.", "region": "c1"}, {"text": "Please."}]
    answer = desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject", comments=comments)
    assert answer == {"task": {"id": desk.tasks[0], "state": "annotate", "version": 3}, "label": None}
    assert desk.claims("annotator2") == []  # it waits for its first annotator
    work = desk.claim("annotator")
    assert [{k: c[k] for k in ("author", "region", "text")} for c in work["comments"]] == [
        {"author": desk("reviewer").user["id"], "region": "c1", "text": "Look again: this is a dög."},
        {"author": desk("reviewer").user["id"], "region": None, "text": "Please."}]
    assert work["label"]["result"] == choice("cat")
    assert desk.submit("annotator", work, "dog")["task"]["state"] == "review"
    assert desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")["task"]["state"] == "done"
    task = desk.task()
    assert task["rework_count"] == 1 and task["version"] == 5 and desk.result(task["head_label"]) == choice("dog")
    listed = desk("annotator").ok("GET", f"/v1/tasks/{desk.tasks[0]}/comments")["comments"]
    assert [c["text"] for c in listed] == ["Look again: this is a dög.", "Please."]


def test_rework_is_reviewed_whatever_the_sampling_says(api):
    desk = Desk(api, workflow={"review": {"mode": "sample", "percent": 0}, "qa": {"percent": 0}})
    assert desk.annotate()["task"]["state"] == "done"
    desk.move("reopen", to="annotate")
    assert desk.annotate(value="dog")["task"]["state"] == "review"


def test_past_max_rework_another_annotator(api):
    desk = Desk(api, workflow={"max_rework": 0})
    desk.annotate("annotator")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    assert desk.claims("annotator") == []
    assert desk.annotate("annotator2", "dog")["task"]["state"] == "review"
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")


def test_qa_pass(api):
    desk = Desk(api, workflow=ALWAYS_QA)
    desk.annotate()
    assert desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")["task"]["state"] == "qa"
    assert desk.verdict("qa", desk.claim("qa", "qa"), "accept")["task"] == {"id": desk.tasks[0], "state": "done", "version": 4}
    assert desk.actions()[-1] == "pass"


def test_qa_fail_goes_to_another_reviewer(api):
    desk = Desk(api, workflow=ALWAYS_QA)
    desk.annotate()
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    assert desk.verdict("qa", desk.claim("qa", "qa"), "reject", comments=[{"text": "no"}])["task"]["state"] == "review"
    assert desk.claims("reviewer", "review") == []
    work = desk.claim("manager", "review")
    assert [c["text"] for c in work["comments"]] == ["no"]
    desk.verdict("manager", work, "fix", result=choice("dog"))
    assert desk.claims("manager", "qa") == []  # not their own fix
    assert desk.verdict("qa", desk.claim("qa", "qa"), "accept")["task"]["state"] == "done"
    assert [e["action"] for e in desk.events() if e["action"] != "claim"] == ["import", "submit", "accept", "fail", "fix", "pass"]


def test_qa_fix(api):
    desk = Desk(api, workflow=NO_REVIEW | ALWAYS_QA)
    assert desk.annotate()["task"]["state"] == "qa"
    answer = desk.verdict("qa", desk.claim("qa", "qa"), "fix", result=choice("dog"))
    assert answer["task"]["state"] == "done" and desk.labels()[-1]["kind"] == "qa_fix"


@pytest.mark.parametrize("stage, judge", [("review", "reviewer"), ("qa", "qa")])
def test_nobody_judges_their_own_work(api, stage, judge):
    desk = Desk(api, workflow=ALWAYS_QA if stage == "review" else NO_REVIEW | ALWAYS_QA)
    assert desk.annotate(judge)["task"]["state"] == stage
    assert desk.claims(judge, stage) == []
    assert len(desk.claims("manager", stage)) == 1


@pytest.mark.parametrize("to, state", [("annotate", "annotate"), ("review", "review")])
def test_reopen_a_finished_task(api, to, state):
    desk = Desk(api, workflow=NO_REVIEW)
    desk.annotate()
    assert desk.move("reopen", to=to)["task"] == {"id": desk.tasks[0], "state": state, "version": 3}
    if to == "annotate":
        assert desk.claims("annotator2") == []  # it is their own work to do again
        assert desk.claim("annotator")["label"]["result"] == choice("cat")
    else:
        assert desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")["task"]["state"] == "done"


@pytest.mark.parametrize("at", ["annotate", "leased", "review", "qa", "done", "skipped"])
def test_archive_and_restore(api, at):
    desk = Desk(api, workflow=ALWAYS_QA | {"skip_limit": 1})
    work = None
    if at == "leased":
        work = desk.claim("annotator")
    elif at == "skipped":
        desk.done("annotator", desk.claim("annotator"), "skip", {"reason": "blurred"})
    elif at != "annotate":
        desk.annotate()
        if at in ("qa", "done"):
            desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
        if at == "done":
            desk.verdict("qa", desk.claim("qa", "qa"), "accept")
    before = desk.state()
    assert desk.move("archive")["task"]["state"] == "archived"
    problem(desk("manager").post(f"/v1/tasks/{desk.tasks[0]}/archive", version=desk.task()["version"]), 409, "conflict")
    for stage, role in (("annotate", "annotator2"), ("review", "manager"), ("qa", "manager")):
        assert desk.claims(role, stage) == []
    if work:  # typed before, sent after: kept
        kept = problem(desk.act("annotator", work, "submit", {"result": choice("dog")}), 409)
        assert desk.result(kept["late_label"]) == choice("dog")
    assert desk.move("restore")["task"]["state"] == before
    if at in ("annotate", "leased"):
        assert desk.annotate("annotator2")["task"]["state"] == "review"
    elif before in ("review", "qa"):
        desk.verdict("qa" if before == "qa" else "reviewer", desk.claim("qa" if before == "qa" else "reviewer", before), "accept")


def test_skip_goes_to_another_and_ends_at_the_limit(api):
    desk = Desk(api, workflow={"skip_limit": 2})
    first = desk.claim("annotator")
    assert desk.done("annotator", first, "skip", {"reason": 'not "clear" ☂'})["task"]["state"] == "annotate"
    assert desk.claims("annotator") == []
    second = desk.claim("annotator2")
    assert second["id"] == first["id"] and second["version"] > first["version"]
    assert desk.done("annotator2", second, "skip")["task"]["state"] == "skipped"
    assert [e["detail"] for e in desk.events() if e["action"] == "skip"] == [{"reason": 'not "clear" ☂'}, None]
    assert desk.move("reopen")["task"]["state"] == "annotate"
    assert len(desk.claims("reviewer")) == 1


def test_skip_can_be_forbidden(api):
    desk = Desk(api, workflow={"allow_skip": False})
    work = desk.claim("annotator")
    problem(desk.act("annotator", work, "skip"), 409, "conflict")
    desk.submit("annotator", work)


def test_overlap_that_agrees_is_merged(api):
    desk = Desk(api, workflow={"overlap": 2} | NO_REVIEW)
    one, two = desk.claim("annotator"), desk.claim("annotator2")
    assert one["task"]["id"] == two["task"]["id"] and {one["slot"], two["slot"]} == {1, 2}
    assert desk.claims("reviewer") == []
    assert desk.submit("annotator", one, "dog")["task"] == {"id": desk.tasks[0], "state": "annotate", "version": 2}
    assert desk.claims("annotator") == []  # no second slot for the same person
    assert desk.submit("annotator2", two, "dog")["task"] == {"id": desk.tasks[0], "state": "done", "version": 3}
    assert [label["kind"] for label in desk.labels()] == ["submission", "submission", "merge"]
    merge = desk.labels()[-1]
    assert desk.task()["head_label"] == merge["id"] and desk.result(merge["id"]) == choice("dog")


def test_overlap_that_disagrees_is_judged(api):
    desk = Desk(api, workflow={"overlap": 2} | NO_REVIEW)
    one, two = desk.claim("annotator"), desk.claim("annotator2")
    desk.submit("annotator", one, "dog")
    assert desk.submit("annotator2", two, "cat")["task"]["state"] == "review"
    judge = desk.claim("reviewer", "review")
    assert judge["label"] is not None
    assert {desk.result(label["id"])[0]["value"]["choices"][0] for label in desk.labels()} == {"cat", "dog"}
    assert desk.verdict("reviewer", judge, "fix", result=choice("dog"))["task"]["state"] == "done"


def test_one_person_gets_one_slot_of_a_task_however_much_they_ask_for(api):
    desk = Desk(api, tasks=3, workflow={"overlap": 2} | NO_REVIEW)
    mine = desk.claims("annotator", count=6)
    assert len(mine) == 3 and len({work["task"]["id"] for work in mine}) == 3
    theirs = desk.claims("annotator2", count=6)
    assert len(theirs) == 3 and {work["id"] for work in mine}.isdisjoint(work["id"] for work in theirs)
    for work in mine:
        desk.submit("annotator", work)
    for work in theirs:
        assert desk.submit("annotator2", work)["task"]["state"] == "done"


def test_skip_limit_with_overlap_cancels_the_rest(api):
    desk = Desk(api, workflow={"overlap": 2, "skip_limit": 1})
    one, two = desk.claim("annotator"), desk.claim("annotator2")
    assert desk.done("annotator", one, "skip")["task"]["state"] == "skipped"
    kept = problem(desk.act("annotator2", two, "submit", {"result": choice("cat")}), 409)
    assert desk.result(kept["late_label"]) == choice("cat")


# ---- models ----

def predict(desk, *entries, role="model", status=200):
    return desk(role).ok("POST", f"{desk.path}/predictions", status, json={"predictions": list(entries)})


def prediction(work, value="cat", score=0.9, model="pets@1"):
    return {"assignment": work["id"], "version": work["version"], "model": model, "score": score, "result": choice(value)}


def test_prelabels_are_hints(api):
    desk = Desk(api, workflow={"prelabel": True})
    assert desk.claims("annotator") == []
    work = desk.claim("model", "prelabel")
    made = predict(desk, prediction(work, "dog"))["results"]
    assert made == [{"assignment": work["id"], "task": {"id": desk.tasks[0], "state": "annotate", "version": 2},
                     "label": {"id": made[0]["label"]["id"], "seq": 1}}]
    hint = desk.claim("annotator")
    assert hint["label"] is None
    assert [(p["model"], p["score"], p["result"]) for p in hint["predictions"]] == [("pets@1", pytest.approx(0.9), choice("dog"))]
    label = desk.labels()[0]
    assert (label["kind"], label["author"], label["model"]) == ("prelabel", None, "pets@1")


def test_a_sure_model_goes_straight_to_review(api):
    desk = Desk(api, tasks=2, workflow={"prelabel": True, "auto_accept": True, "auto_accept_score": 0.95})
    sure, unsure = desk.claims("model", "prelabel", count=2)
    states = [r["task"]["state"] for r in predict(desk, prediction(sure, score=0.99), prediction(unsure, score=0.5))["results"]]
    assert states == ["review", "annotate"]
    judge = desk.claim("reviewer", "review")
    assert judge["label"]["kind"] == "prelabel"
    assert desk.verdict("reviewer", judge, "reject")["task"]["state"] == "annotate"
    assert desk.task(judge["task"]["id"])["rework_count"] == 0  # nobody has done it badly
    assert len(desk.claims("annotator", count=2)) == 2


def test_one_bad_prediction_does_not_fail_its_neighbours(api):
    desk = Desk(api, tasks=5, workflow={"prelabel": True})
    work = desk.claims("model", "prelabel", count=5)
    results = predict(desk, prediction(work[0]), prediction(work[1], "horse"), prediction(work[2] | {"version": 77}),
                      {"assignment": 1 << 52, "version": 1, "model": "m", "result": []},
                      {"assignment": work[3]["id"], "version": work[3]["version"], "model": "pets@1", "error": "decode"},
                      prediction(work[4], score=1))["results"]
    assert [r.get("error") for r in results] == [None, "label-invalid", "version-mismatch", "not-found", None, None]
    assert results[1]["pointer"].startswith("/result/0/value")
    assert [r["task"]["state"] for r in results if "task" in r] == ["annotate"] * 3
    assert results[4]["label"] is None
    failed = desk.events(work[3]["task"]["id"])[-1]
    assert failed["action"] == "prelabel_failed" and failed["detail"] == {"error": "decode", "model": "pets@1"}
    assert len(desk.claims("annotator", count=9)) == 3  # the failed one, too: a model blocks nobody


def test_a_prediction_sent_again_changes_nothing(api):
    desk = Desk(api, workflow={"prelabel": True})
    work = desk.claim("model", "prelabel")
    first = predict(desk, prediction(work))
    assert predict(desk, prediction(work)) == first
    assert len(desk.labels()) == 1


def test_predictions_without_ids_get_them(api):
    desk = Desk(api, workflow={"prelabel": True}, label_config=BOXES)
    work = desk.claim("model", "prelabel")
    item = {k: v for k, v in box()[0].items() if k != "id"}
    predict(desk, {"assignment": work["id"], "version": work["version"], "model": "m@1", "result": [item]})
    shown = desk.claim("annotator")["predictions"][0]["result"]
    assert len(shown) == 1 and shown[0]["id"] and {k: v for k, v in shown[0].items() if k != "id"} == item


def test_two_predictions_for_one_task_in_one_request(api):
    desk = Desk(api, workflow={"prelabel": True})
    work = desk.claim("model", "prelabel")
    results = predict(desk, prediction(work, "cat"), prediction(work, "dog"))["results"]
    assert sorted("task" in r for r in results) == [False, True]
    assert len(desk.labels()) == 1


# ---- reading ----

def test_events_are_paged_in_order(api):
    desk = Desk(api)
    for _ in range(4):
        work = desk.claim("annotator")
        desk.done("annotator", work, "release")
    seen, after = [], 0
    while after is not None:
        page = desk("viewer").ok("GET", f"/v1/tasks/{desk.tasks[0]}/events?limit=2&after={after}")
        seen += page["events"]
        after = page["next"]
    assert [e["action"] for e in seen] == ["import"] + ["claim", "release"] * 4
    assert [e["seq"] for e in seen] == sorted({e["seq"] for e in seen})
    assert all(e["at"].endswith("+00:00") for e in seen)


def test_tasks_are_listed_by_state_and_page(api):
    desk = Desk(api, tasks=5)
    desk.annotate()
    def ids(query):
        return [t["id"] for t in desk("viewer").ok("GET", f"{desk.path}/tasks?{query}")["tasks"]]
    assert ids("") == desk.tasks
    assert ids("state=review") == desk.tasks[:1] and ids("state=annotate") == desk.tasks[1:] and ids("state=done") == []
    page = desk("viewer").ok("GET", f"{desk.path}/tasks?limit=3")
    assert page["next"] == desk.tasks[2] and ids(f"limit=3&after={page['next']}") == desk.tasks[3:]
    problem(desk("viewer").get(f"{desk.path}/tasks?state=nowhere"), 422)
    problem(desk("viewer").get(f"{desk.path}/tasks?limit=501"), 422)


def test_label_documents_are_canonical_and_hashed(api):
    desk = Desk(api, workflow=NO_REVIEW, label_config=BOXES)
    document = box(x=1e1, y=10.50, width=1 / 3)
    label = desk.submit("annotator", desk.claim("annotator"), document)["label"]
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).replace("10.0", "10").replace("20.0", "20")
    assert label["sha256"] == hashlib.sha256(canonical.encode()).hexdigest()
    got = desk("viewer").ok("GET", f"/v1/labels/{label['id']}")
    assert got["result"] == document and got["bytes"] == len(canonical) and got["regions"] == 1 and got["sha256"] == label["sha256"]


def test_priority_comes_first(api):
    desk = Desk(api, tasks=0)
    desk.api.tasks(desk.project, [{"data": {"image": str(p)}, "priority": p} for p in (0, 5, -3, 9, 5)])
    order = []
    while work := desk.claims("annotator"):
        order.append(work[0]["task"]["data"]["image"])
        desk.submit("annotator", work[0])
    assert order == ["9", "5", "5", "0", "-3"]


@pytest.mark.parametrize("config, result", [(CHOICES, choice("cat")), (BOXES, box()), (BOXES, [])])
def test_what_was_submitted_comes_back(api, config, result):
    desk = Desk(api, workflow=NO_REVIEW, label_config=config)
    label = desk.submit("annotator", desk.claim("annotator"), result)["label"]
    assert desk.result(label["id"]) == result


def test_a_paused_project_hands_nothing_out(api):
    desk = Desk(api, tasks=2)
    work = desk.claim("annotator")
    project = desk("manager").ok("GET", desk.path)
    project = desk("manager").ok("PATCH", desk.path, json={"paused": True}, version=project["version"])
    assert project["paused"] and desk.claims("annotator2") == []
    desk.submit("annotator", work)  # what is in hand may be finished
    desk("manager").ok("PATCH", desk.path, json={"paused": False}, version=project["version"])
    assert len(desk.claims("annotator2")) == 1
