"""Late and conflicting work: it is kept (I1), listed, and taken in by a reviewer as a new version: adopted, merged, or dismissed. Old
versions come back the same way. Nothing is overwritten, and nobody judges what they wrote or chose."""
import pytest

from kit import BOXES, Desk, box, choice, problem


def late_submit(desk, role="annotator", value="dog", other="annotator2"):
    """Work of `role` that arrives after `other` has claimed the same; (late label, the other's claim)."""
    work = desk.claim(role)
    desk.done(role, work, "release")
    taken = desk.claim(other)
    assert taken["id"] == work["id"]
    result = choice(value) if isinstance(value, str) else value
    answer = problem(desk.act(role, work, "submit", {"result": result, "lead_time": 5}), 412, "version-mismatch")
    return answer["late_label"], taken


def take_in(desk, role, verb, label, version=None, task=None):
    version = desk.task(task)["version"] if version is None else version
    return desk(role).post(f"/v1/labels/{label}/{verb}", version=version)


def taken_in(desk, role, verb, label, task=None):
    answer = take_in(desk, role, verb, label, task=task)
    assert answer.status_code == 200, answer.text
    return answer.json()


def late(desk, path=None, **query):
    return desk("viewer").ok("GET", f"{path or desk.path}/late", params=query)["late"]


def label(desk, which):
    return desk("viewer").ok("GET", f"/v1/labels/{which}")


# ---- lists ----

def test_late_work_is_listed(api):
    desk = Desk(api, tasks=2)
    kept, taken = late_submit(desk)
    one, = late(desk)
    assert one["id"] == kept and one["task"] == taken["task"]["id"] and one["author"] == desk("annotator").user["id"]
    assert one["stage"] == "annotate" and one["lead_time"] == 5 and one["settled"] is None and one["task_state"] == "annotate"
    assert late(desk, f"/v1/tasks/{one['task']}") == [one]
    other = next(t for t in desk.tasks if t != one["task"])
    assert late(desk, f"/v1/tasks/{other}") == []
    desk("reviewer").ok("POST", f"/v1/labels/{kept}/dismiss", 204)
    assert late(desk) == []
    settled, = late(desk, all="true")
    assert settled["settled"] == "dismissed" and settled["settled_by"] == desk("reviewer").user["id"] and settled["result"] is None
    problem(desk("reviewer").post(f"/v1/labels/{kept}/dismiss"), 409, "conflict")
    problem(desk("viewer").get(f"{desk.path}/late?all=maybe"), 422, "invalid", "all")


def test_late_lists_are_paged(api):
    desk = Desk(api, tasks=5)
    kept = []
    for _ in range(5):
        which, taken = late_submit(desk)
        desk.submit("annotator2", taken)
        kept.append(which)
    page = desk("viewer").ok("GET", f"{desk.path}/late?limit=2")
    found = [one["id"] for one in page["late"]]
    while page["next"]:
        page = desk("viewer").ok("GET", f"{desk.path}/late?limit=2&after={page['next']}")
        found += [one["id"] for one in page["late"]]
    assert found == kept


# ---- adopting ----

def test_adopted_late_work_is_the_label_and_is_reviewed(api):
    desk = Desk(api)
    kept, taken = late_submit(desk)
    problem(take_in(desk, "reviewer", "adopt", kept), 409, "conflict")  # the other is at work on it
    first = desk.submit("annotator2", taken, "cat")["label"]
    before = desk.task()
    answer = taken_in(desk, "reviewer", "adopt", kept)
    assert answer["task"] == {"id": desk.tasks[0], "state": "review", "version": before["version"] + 1}
    new = label(desk, answer["label"]["id"])
    assert new["kind"] == "restore" and new["author"] == desk("annotator").user["id"] and new["parent"] == first["id"]
    assert new["result"] == choice("dog") and desk.task()["head_label"] == new["id"]
    assert [(l["id"], l["kind"]) for l in desk.labels()] == [(kept, "late"), (first["id"], "submission"), (new["id"], "restore")]
    event = desk.events()[-1]
    assert (event["action"], event["from"], event["to"], event["label"]) == ("adopt", "review", "review", new["id"])
    assert event["actor"] == desk("reviewer").user["id"] and event["detail"] == {"how": "restore", "source": kept}
    settled, = late(desk, all="true")
    assert settled["settled"] == "adopted" and settled["result"] == new["id"] and late(desk) == []
    problem(take_in(desk, "reviewer", "adopt", kept), 409, "conflict")
    assert desk.progress()["tasks"]["review"] == 1 and desk.progress()["labels"]["restore"] == 1


def test_who_wrote_or_chose_it_does_not_judge_it(api):
    """I3: also when the work goes to QA, and back."""
    desk = Desk(api, workflow={"qa": {"percent": 100}})
    work = desk.claim("reviewer")  # a reviewer who annotates
    desk.done("reviewer", work, "release")
    taken = desk.claim("annotator")
    kept = problem(desk.act("reviewer", work, "submit", {"result": choice("dog")}), 412)["late_label"]
    desk.submit("annotator", taken, "cat")
    taken_in(desk, "qa", "adopt", kept)
    assert desk.claims("reviewer", "review") == [] and desk.claims("qa", "review") == []
    desk.verdict("manager", desk.claim("manager", "review"), "accept")
    assert desk.state() == "qa" and desk.claims("manager", "qa") == []
    judge = desk.claim("qa", "qa")  # chose it, and had no hand in what it says
    desk.verdict("qa", judge, "reject")
    assert desk.state() == "review" and desk.claims("reviewer", "review") == [] and desk.claims("manager", "review") == []


def test_a_live_review_of_the_old_label_ends(api):
    desk = Desk(api)
    kept, taken = late_submit(desk)
    desk.submit("annotator2", taken, "cat")
    judge = desk.claim("reviewer", "review")
    taken_in(desk, "manager", "adopt", kept)
    answer = problem(desk.act("reviewer", judge, "verdict", {"verdict": "fix", "result": choice("cat")}), 412, "version-mismatch")
    assert label(desk, answer["late_label"])["result"] == choice("cat")  # and what was typed is kept
    again = desk.claim("reviewer", "review")
    assert again["id"] == judge["id"] and again["version"] > judge["version"] and again["label"]["result"] == choice("dog")
    desk.verdict("reviewer", again, "accept")
    assert desk.state() == "done"


@pytest.mark.parametrize("where", ["qa", "done"])
def test_adopting_behind_the_review(api, where):
    desk = Desk(api, workflow={"qa": {"percent": 100}} if where == "qa" else {})
    kept, taken = late_submit(desk)
    desk.submit("annotator2", taken, "cat")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    assert desk.state() == where
    assert taken_in(desk, "manager", "adopt", kept)["task"]["state"] == "review"
    assert desk.claims("qa", "qa") == []
    judge = desk.claim("reviewer", "review")
    assert judge["label"]["result"] == choice("dog")
    desk.verdict("reviewer", judge, "accept")
    assert desk.state() == where


def test_late_work_on_a_skipped_task(api):
    desk = Desk(api, workflow={"skip_limit": 1})
    kept, taken = late_submit(desk)
    desk.done("annotator2", taken, "skip")
    assert desk.state() == "skipped"
    assert taken_in(desk, "reviewer", "adopt", kept)["task"]["state"] == "review"
    desk.verdict("manager", desk.claim("manager", "review"), "accept")
    assert desk.state() == "done" and desk.result(desk.task()["head_label"]) == choice("dog")


def test_an_archived_task_takes_nothing_in(api):
    desk = Desk(api)
    kept, taken = late_submit(desk)
    desk.submit("annotator2", taken, "cat")
    desk.move("archive")
    assert "restore it first" in problem(take_in(desk, "manager", "adopt", kept), 409, "conflict")["detail"]
    desk.move("restore")
    taken_in(desk, "manager", "adopt", kept)


def test_what_is_no_late_work_is_not_adopted(api):
    desk = Desk(api)
    first = desk.annotate()["label"]["id"]
    problem(take_in(desk, "reviewer", "adopt", first), 409, "conflict")
    problem(desk("reviewer").post(f"/v1/labels/{first}/dismiss"), 409, "conflict")
    problem(take_in(desk, "reviewer", "adopt", 1 << 50, version=1), 404, "not-found")


def test_the_same_said_twice_is_not_adopted(api):
    desk = Desk(api)
    kept, taken = late_submit(desk, value="cat")
    desk.submit("annotator2", taken, "cat")
    assert "same already" in problem(take_in(desk, "reviewer", "adopt", kept), 409, "conflict")["detail"]


def test_adopting_under_a_version_that_has_moved_on(api):
    desk = Desk(api)
    kept, taken = late_submit(desk)
    desk.submit("annotator2", taken, "cat")
    version = desk.task()["version"]
    for stale in (version - 1, version + 1):
        problem(take_in(desk, "reviewer", "adopt", kept, stale), 412, "version-mismatch")
    key = {"Idempotency-Key": "adopt-1"}
    one, two = (desk("reviewer").post(f"/v1/labels/{kept}/adopt", version=version, headers=key) for _ in range(2))
    assert one.status_code == 200 and one.json() == two.json() and two.headers["Idempotency-Replayed"] == "true"
    assert [l["kind"] for l in desk.labels()] == ["late", "submission", "restore"]


# ---- old versions ----

def restore_label(desk, role, which, version=None, task=None):
    version = desk.task(task)["version"] if version is None else version
    return desk(role).post(f"/v1/tasks/{task or desk.tasks[0]}/restore-label", json={"label": which}, version=version)


def test_an_old_version_comes_back_as_a_new_one(api):
    desk = Desk(api)
    first = desk.annotate(value="cat")["label"]["id"]
    fixed = desk.verdict("reviewer", desk.claim("reviewer", "review"), "fix", result=choice("dog"))["label"]["id"]
    assert desk.state() == "done"
    answer = restore_label(desk, "manager", first).json()
    new = label(desk, answer["label"]["id"])
    assert answer["task"]["state"] == "review" and new["parent"] == fixed and new["kind"] == "restore" and new["seq"] == 3
    assert new["result"] == choice("cat") and new["author"] == desk("annotator").user["id"]
    assert desk.result(fixed) == choice("dog")  # nothing is overwritten
    desk.verdict("qa", desk.claim("qa", "review"), "accept")
    assert desk.result(desk.task()["head_label"]) == choice("cat")


def test_restoring_what_is_not_there(api):
    desk = Desk(api, tasks=2)
    one, two = desk.annotate(), desk.annotate("annotator", "dog")
    task = one["task"]["id"]
    problem(restore_label(desk, "reviewer", two["label"]["id"], task=task), 404, "not-found")  # of another task
    problem(restore_label(desk, "reviewer", one["label"]["id"], task=task), 409, "conflict")  # it is the label
    problem(restore_label(desk, "reviewer", one["label"]["id"], version=9, task=task), 412, "version-mismatch")
    for bad in (0, "1", None, 1.5):
        problem(restore_label(desk, "reviewer", bad, task=task), 422, "invalid", "/label")
