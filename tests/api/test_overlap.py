"""Tasks that several people label: what a reopen, an archive, a revoked lease and a person paused for gold work leave of their slots."""
import pytest

from kit import Desk, choice, until

CREW = ("annotator", "annotator2", "manager")
EASY = {"overlap": 3, "agreement": {"metric": "exact", "threshold": 0.5}}


def slots(desk, task=None):
    """{slot: state} of the annotate stage."""
    return {a["slot"]: a["state"] for a in desk.task(task)["assignments"] if a["stage"] == "annotate"}


def all_submit(desk, values=("cat", "cat", "cat")):
    for role, value in zip(CREW, values):
        last = desk.annotate(role, value)
    return last


def kinds(desk, task=None):
    return [label["kind"] for label in desk.labels(task)]


def test_a_reopened_task_is_one_persons_rework(api):
    """What was merged goes on as one label: one slot is open, the others' submissions stay, and so does all that was done."""
    desk = Desk(api, workflow=EASY | {"review": {"mode": "none"}})
    assert all_submit(desk)["task"]["state"] == "done"
    before = desk.labels()
    desk.move("reopen")
    assert sorted(slots(desk).values()) == ["open", "submitted", "submitted"] and desk.labels() == before
    work = [w for role in CREW for w in desk.claims(role)]
    assert len(work) == 1 and work[0]["label"]["kind"] == "merge" and desk.claims("admin") == []
    answer = desk.submit("annotator", work[0], "dog")
    assert answer["task"]["state"] == "review"
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    assert desk.state() == "done" and desk.result(desk.task()["head_label"]) == choice("dog")
    assert kinds(desk) == ["submission"] * 3 + ["merge", "submission"]


def test_a_skipped_task_opens_what_nobody_finished(api):
    desk = Desk(api, workflow=EASY | {"skip_limit": 1})
    desk.annotate("annotator")
    desk.done("annotator2", desk.claim("annotator2"), "skip")
    assert desk.state() == "skipped"
    desk.move("reopen")
    assert slots(desk) == {1: "submitted", 2: "open", 3: "open"} and desk.claims("annotator") == []
    for role in ("manager", "admin"):
        last = desk.annotate(role)
    assert last["task"]["state"] == "review" and kinds(desk) == ["submission"] * 3 + ["merge"]


def test_an_archived_task_keeps_the_slots_that_are_done(api):
    desk = Desk(api, workflow=EASY)
    desk.annotate("annotator")
    held = desk.claim("annotator2")
    desk.move("archive")
    assert slots(desk) == {1: "submitted", 2: "cancelled", 3: "cancelled"}
    desk.move("restore")
    assert slots(desk) == {1: "submitted", 2: "open", 3: "open"}
    assert desk.claims("annotator") == [] and desk.claim("annotator2")["version"] > held["version"]
    desk.annotate("manager")


def test_a_rejected_task_opens_one_slot_and_its_second_round_is_reviewed(api):
    desk = Desk(api, workflow=EASY)
    all_submit(desk, ("cat", "dog", "cat"))
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    assert sorted(slots(desk).values()) == ["open", "submitted", "submitted"] and desk.task()["rework_count"] == 1
    work = [(role, w) for role in CREW for w in desk.claims(role)]
    assert len(work) == 1
    assert desk.submit(work[0][0], work[0][1], "dog")["task"]["state"] == "review"
    assert kinds(desk) == ["submission"] * 4


# ---- who is paused for gold work ----

def floored(desk, role="annotator"):
    """They get gold and fail at it until they are paused; what they handed in before goes to others."""
    project = desk("manager").ok("GET", desk.path)
    desk("manager").ok("PATCH", desk.path, json={"workflow": project["workflow"] | {"gold_percent": 100}}, version=project["version"])
    gold = [t["id"] for t in desk("viewer").ok("GET", f"{desk.path}/tasks?state=annotate&limit=500")["tasks"]][-10:]
    while works := desk.claims(role):
        desk.submit(role, works[0], "dog")
    people = desk("manager").ok("GET", f"{desk.path}/gold")["people"]
    person = next(p for p in people if p["user"] == desk(role).user["id"])
    assert person["paused"] and gold
    until(lambda: not next(p for p in desk("manager").ok("GET", f"{desk.path}/gold")["people"] if p["user"] == desk(role).user["id"])["restoring"])


@pytest.fixture
def desk(api):
    """Overlap 2, with eight gold tasks that are not dealt yet; the first tasks are plain."""
    desk = Desk(api, tasks=30, workflow={"overlap": 2, "gold_floor": 0.6, "gold_percent": 0, "agreement": {"metric": "exact", "threshold": 0.5}})
    for task in desk.tasks[-8:]:
        desk("manager").ok("POST", f"{desk.path}/gold", 201, json={"task": task, "result": choice("cat")})
    return desk


def test_a_slot_of_a_task_that_others_still_label_is_open_again(desk):
    """The other's slot is open or leased: the paused one's is to be done again, too, and counts no more when labels are compared."""
    task = desk.annotate("annotator", "dog")["task"]["id"]
    held = desk.claim("annotator2")
    assert held["task"]["id"] == task
    floored(desk)
    assert sorted(slots(desk, task).values()) == ["leased", "open"]
    last = [e for e in desk.events(task) if e["action"] != "claim"][-1]
    assert (last["action"], last["actor"], last["detail"]) == ("skip", None, {"gold": True})
    assert desk.submit("annotator2", held, "cat")["task"]["state"] == "annotate"
    again = next(w for w in desk.claims("manager", count=30) if w["task"]["id"] == task)
    assert again["label"] is None
    desk.submit("manager", again, "cat")
    assert desk.state(task) == "review" and desk.result(desk.task(task)["head_label"]) == choice("cat")
    assert kinds(desk, task) == ["submission"] * 3 + ["merge"]
    merge = desk.labels(task)[-1]
    assert merge["author"] != desk("annotator").user["id"]


def test_a_slot_of_a_task_in_review_is_open_again(desk):
    task = desk.annotate("annotator", "dog")["task"]["id"]
    assert desk.annotate("annotator2", "dog")["task"] | {"version": 0} == {"id": task, "state": "review", "version": 0}
    floored(desk)
    assert desk.state(task) == "annotate" and sorted(slots(desk, task).values()) == ["open", "submitted"]
    assert all(w["task"]["id"] != task for w in desk.claims("annotator2", count=30))
    again = next(w for w in desk.claims("manager", count=30) if w["task"]["id"] == task)
    assert desk.submit("manager", again, "cat")["task"]["state"] == "review"
    judged = next(w for w in desk.claims("reviewer", "review", count=30) if w["task"]["id"] == task)
    desk.verdict("reviewer", judged, "accept")
    assert desk.result(desk.task(task)["head_label"]) == choice("cat")


def test_done_work_and_what_is_under_review_stays(api, desk):
    task = desk.annotate("annotator", "dog")["task"]["id"]
    desk.annotate("annotator2", "dog")
    judged = desk.claim("reviewer", "review")
    floored(desk)
    assert desk.state(task) == "review"
    desk.verdict("reviewer", judged, "accept")
    assert desk.state(task) == "done" and slots(desk, task) == {1: "submitted", 2: "submitted"}


def test_rework_goes_to_the_slot_of_who_did_it(api):
    """Also when that is not the first one: nobody is ever given a second slot of a task (I3)."""
    desk = Desk(api, workflow={"overlap": 2, "skip_limit": 1})
    first = desk.claim("annotator")
    label = desk.annotate("annotator2")["label"]["id"]
    desk.done("annotator", first, "skip")
    desk("qa").ok("POST", f"/v1/tasks/{desk.tasks[0]}/restore-label", json={"label": label}, version=desk.task()["version"])
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    assert slots(desk) == {1: "skipped", 2: "open"} and desk.claims("annotator") == []
    assert desk.claim("annotator2")["slot"] == 2
