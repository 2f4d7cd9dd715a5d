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
    problem(desk("viewer").get(f"{desk.path}/late?all=maybe"), 422, "invalid", "/all")


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


# ---- merging ----

def boxes(**regions):
    """A document of boxes: region=(label, x)."""
    return [box(label, x=x, region=region)[0] for region, (label, x) in sorted(regions.items())]


def regions(result):
    return {item["id"]: (item["value"]["rectanglelabels"][0], item["value"]["x"]) for item in result}


def reworked(api, base):
    """A task whose label `base` was rejected: its late rework and the one that was handed in both began from it."""
    desk = Desk(api, label_config=BOXES, workflow={"reserve_s": 0})
    desk.submit("annotator", desk.claim("annotator"), boxes(**base))
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    return desk


def two_versions(api, base, ours, theirs):
    """The label became `ours`, and `theirs` came too late. Both began from `base`."""
    desk = reworked(api, base)
    mine = desk.claim("annotator")
    assert regions(mine["label"]["result"]) == base
    desk.done("annotator", mine, "release")
    other = desk.claim("annotator2")
    kept = problem(desk.act("annotator", mine, "submit", {"result": boxes(**theirs)}), 412)["late_label"]
    desk.submit("annotator2", other, boxes(**ours))
    return desk, kept


def test_late_work_is_merged_by_region(api):
    base = {"r1": ("shoe", 10), "r2": ("bag", 40), "r3": ("bag", 60)}
    ours = {"r1": ("shoe", 12), "r2": ("bag", 40), "r4": ("shoe", 70)}              # moved r1, removed r3, added r4
    theirs = {"r1": ("shoe", 10), "r2": ("shoe", 40), "r3": ("bag", 60), "r5": ("bag", 5)}  # relabelled r2, added r5
    desk, kept = two_versions(api, base, ours, theirs)
    head = desk.task()["head_label"]
    answer = taken_in(desk, "reviewer", "merge", kept)
    new = label(desk, answer["label"]["id"])
    assert regions(new["result"]) == {"r1": ("shoe", 12), "r2": ("shoe", 40), "r4": ("shoe", 70), "r5": ("bag", 5)}
    assert new["kind"] == "merge" and new["parent"] == head and new["sha256"] == answer["label"]["sha256"]
    assert answer["task"]["state"] == "review" and desk.task()["head_label"] == new["id"]
    assert new["regions"] == 4 and desk.events()[-1]["detail"] == {"how": "merge", "source": kept}
    settled, = late(desk, all="true")
    assert settled["settled"] == "merged" and settled["result"] == new["id"]
    for role in ("annotator", "annotator2"):  # both wrote it
        assert desk.claims(role, "annotate") == []
    assert desk.claims("reviewer", "review") == []  # who merged it does not review it
    desk.verdict("qa", desk.claim("qa", "review"), "accept")
    assert desk.state() == "done"


def test_contradictions_are_named_and_nothing_changes(api):
    base = {"r1": ("shoe", 10), "r2": ("bag", 40), "r3": ("bag", 60)}
    desk, kept = two_versions(api, base, {"r1": ("shoe", 12), "r2": ("bag", 40)}, {"r1": ("shoe", 15), "r2": ("bag", 40), "r3": ("shoe", 60)})
    before, labels = desk.task(), desk.labels()
    body = problem(take_in(desk, "reviewer", "merge", kept), 409, "conflict")
    assert [(c["id"], c["field"]) for c in body["conflicts"]] == [("r1", "place"), ("r3", "region")]
    place = body["conflicts"][0]
    assert (place["base"]["x"], place["ours"]["x"], place["theirs"]["x"]) == (10, 12, 15)
    assert desk.task() == before and desk.labels() == labels and late(desk)[0]["settled"] is None
    taken_in(desk, "reviewer", "adopt", kept)  # then one of them, as a whole


def test_merging_what_both_began_from_nothing(api):
    """No label and no model before either: regions of both."""
    desk = Desk(api, label_config=BOXES)
    kept, taken = late_submit(desk, value=boxes(r1=("shoe", 10)))
    problem(take_in(desk, "reviewer", "merge", kept), 409, "conflict")
    desk.submit("annotator2", taken, boxes(r9=("bag", 40)))
    new = label(desk, taken_in(desk, "reviewer", "merge", kept)["label"]["id"])
    assert regions(new["result"]) == {"r1": ("shoe", 10), "r9": ("bag", 40)}


def test_merging_what_both_began_from_a_models_word(api):
    desk = Desk(api, label_config=BOXES, workflow={"prelabel": True})
    work = desk.claim("model", "prelabel")
    base = {"p1": ("shoe", 10), "p2": ("bag", 50)}
    desk("model").ok("POST", f"{desk.path}/predictions", json={"predictions": [
        {"assignment": work["id"], "version": work["version"], "model": "m", "score": 0.5, "result": boxes(**base)}]})
    kept, taken = late_submit(desk, value=boxes(p1=("shoe", 10), p2=("shoe", 50)))
    desk.submit("annotator2", taken, boxes(p1=("shoe", 20), p2=("bag", 50)))
    new = label(desk, taken_in(desk, "manager", "merge", kept)["label"]["id"])
    assert regions(new["result"]) == {"p1": ("shoe", 20), "p2": ("shoe", 50)}


def test_a_merge_that_adds_nothing(api):
    base = {"r1": ("shoe", 10), "r2": ("bag", 40)}
    desk, kept = two_versions(api, base, {"r1": ("shoe", 12)}, {"r1": ("shoe", 10), "r2": ("bag", 40)})
    assert "all of it already" in problem(take_in(desk, "reviewer", "merge", kept), 409, "conflict")["detail"]
    assert [l["kind"] for l in desk.labels()] == ["submission", "late", "submission"]


def test_the_same_merge_under_one_key_is_one(api):
    desk, kept = two_versions(api, {"r1": ("shoe", 10)}, {"r1": ("shoe", 12)}, {"r1": ("bag", 10)})
    version = desk.task()["version"]
    one, two = (desk("reviewer").post(f"/v1/labels/{kept}/merge", version=version, headers={"Idempotency-Key": "m"}) for _ in range(2))
    assert one.status_code == 200, one.text
    assert one.json() == two.json() and [l["kind"] for l in desk.labels()].count("merge") == 1
