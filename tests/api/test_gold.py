"""Gold tasks: dealt at a rate, not to be told from other work, scored when handed in; who does badly is paused, and what they did
goes to others."""
import pytest

from kit import Desk, choice, problem, until


def golden(api, tasks=20, gold=8, **workflow):
    """A project whose first `gold` tasks are gold, expecting cat; every claim deals one by default."""
    desk = Desk(api, tasks=tasks, workflow={"gold_percent": 100} | workflow)
    for task in desk.tasks[:gold]:
        assert mark(desk, task).json() == {"task": task}
    return desk


def mark(desk, task, value="cat", role="manager"):
    return desk(role).post(f"{desk.path}/gold", json={"task": task, "result": choice(value) if isinstance(value, str) else value})


def standing(desk, role="annotator"):
    people = desk("manager").ok("GET", f"{desk.path}/gold")["people"]
    return next((p for p in people if p["user"] == desk(role).user["id"]), None)


def is_gold(desk, work, gold=8):
    return work["task"]["id"] in desk.tasks[:gold]


def test_gold_is_dealt_scored_and_is_no_progress(api, db):
    desk = golden(api)
    assert desk.progress()["tasks"]["annotate"] == 12
    first = desk.claim("annotator")
    assert not is_gold(desk, first)  # its turn is the next one
    desk.submit("annotator", first)
    gold = desk.claim("annotator")
    assert is_gold(desk, gold)
    answer = desk.submit("annotator", gold, "cat")
    assert answer["task"] == {"id": gold["task"]["id"], "state": "review", "version": 2} and answer["label"]["seq"] == 1  # as any
    person = standing(desk)
    assert (person["n"], person["accuracy"], person["paused"]) == (1, 1, False)
    progress = desk.progress()
    assert progress["tasks"]["annotate"] == 11 and progress["tasks"]["review"] == 1
    assert progress["actions"]["submit"] == 1 and progress["labels"]["submission"] == 1
    wrong = desk.claim("annotator")
    assert is_gold(desk, wrong) and wrong["task"]["id"] != gold["task"]["id"]
    desk.submit("annotator", wrong, "dog")
    assert standing(desk)["accuracy"] == 0.5
    assert desk.claims("reviewer", "review", count=10)[0]["task"]["id"] == first["task"]["id"]
    assert desk.state(gold["task"]["id"]) == "annotate"  # for good


def test_nothing_tells_it_from_other_work(api):
    desk = golden(api)
    plain = desk.claim("annotator")
    desk.submit("annotator", plain)
    gold = desk.claim("annotator")
    assert is_gold(desk, gold)

    def shape(value):
        if isinstance(value, dict):
            return {k: shape(v) for k, v in value.items()}
        return value if value is None or isinstance(value, bool) else type(value).__name__ if not isinstance(value, list) else value
    assert shape(plain) == shape(gold)
    for same in ("stage", "slot", "version", "draft", "comments", "labels", "label", "predictions"):
        assert plain[same] == gold[same], same
    assert plain["task"]["state"] == gold["task"]["state"] and plain["task"]["version"] == gold["task"]["version"]
    desk.done("annotator", gold, "heartbeat")
    answer = desk.submit("annotator", gold)
    assert answer["task"]["state"] == "review" and answer["task"]["version"] == 2 and answer["label"]["seq"] == 1
    for _ in range(12):  # nor that others had it before
        for work in desk.claims("annotator2"):
            assert (work["task"]["version"], work["slot"], work["task"]["state"]) == (1, 1, "annotate")
            answer = desk.submit("annotator2", work)
            assert (answer["task"]["state"], answer["task"]["version"], answer["label"]["seq"]) == ("review", 2, 1)


def test_a_submit_with_a_key_is_answered_again_like_any(api, db):
    desk = golden(api)
    answers, gold = {}, 0
    for _ in range(4):
        work = desk.claim("annotator")
        gold += is_gold(desk, work)
        kept = {"Idempotency-Key": f"gold-{work['id']}"}
        path, body = f"/v1/assignments/{work['id']}/submit", {"result": choice("cat")}
        first, again = (desk("annotator").post(path, json=body, version=work["version"], headers=kept) for _ in range(2))
        assert first.status_code == again.status_code == 200 and first.content == again.content
        assert again.headers.get("Idempotency-Replayed") == "true", f"gold: {is_gold(desk, work)}"
        other = desk("annotator").post(path, json={"result": choice("dog")}, version=work["version"], headers=kept)
        problem(other, 422, "invalid")
        answers[is_gold(desk, work)] = first.json()
    assert {(a["task"]["state"], a["task"]["version"], a["label"]["seq"]) for a in answers.values()} == {("review", 2, 1)} and len(answers) == 2
    assert standing(desk)["n"] == gold  # scored once


def test_everybody_gets_each_gold_task_once(api):
    desk = golden(api, tasks=12, gold=3)
    for role in ("annotator", "annotator2", "reviewer"):
        seen = []
        for _ in range(7):
            for work in desk.claims(role):
                seen.append(work["task"]["id"])
                desk.submit(role, work)
        mine = [task for task in seen if task in desk.tasks[:3]]
        assert sorted(mine) == desk.tasks[:3] and standing(desk, role)["n"] == 3, (role, seen)


def test_the_rate(api):
    desk = golden(api, tasks=300, gold=60, gold_percent=20)
    got = []
    for _ in range(200):
        work = desk.claim("annotator")
        got.append(is_gold(desk, work, 60))
        desk.submit("annotator", work)
    assert 20 <= sum(got) <= 60  # of 200 at 20 %: five sigmas around 40
    assert standing(desk)["n"] == 20  # the last ones


def test_no_gold_where_the_project_wants_none(api):
    desk = golden(api, tasks=6, gold=3, gold_percent=0)
    for _ in range(3):
        work = desk.claim("annotator")
        assert not is_gold(desk, work, 3)
        desk.submit("annotator", work)
    assert desk.claims("annotator") == [] and standing(desk) is None


def test_gold_may_be_skipped_and_comes_late(api):
    desk = golden(api)
    desk.submit("annotator", desk.claim("annotator"))
    gold = desk.claim("annotator")
    desk.done("annotator", gold, "skip", {"reason": "unclear"})
    assert desk.state(gold["task"]["id"]) == "annotate"
    again = desk.claim("annotator")
    assert again["task"]["id"] != gold["task"]["id"]
    problem(desk.act("annotator", gold, "submit", {"result": choice("cat")}), 409, "conflict")
    assert standing(desk)["n"] == 0


def test_the_same_submit_again_is_scored_once(api):
    desk = golden(api)
    desk.submit("annotator", desk.claim("annotator"))
    gold = desk.claim("annotator")
    assert desk.submit("annotator", gold) == desk.submit("annotator", gold)
    assert standing(desk)["n"] == 1


def test_who_falls_under_the_floor_is_paused_and_their_work_goes_to_others(api):
    desk = golden(api, tasks=30, gold=8, gold_floor=0.6)
    kept = desk.submit("annotator2", desk.claim("annotator2"))["task"]["id"]
    plain = []
    for n in range(9):
        works = desk.claims("annotator")
        if not works:
            break
        gold = is_gold(desk, works[0])
        if not gold:
            plain.append(works[0]["task"]["id"])
        if n == 0:
            reviewed = plain[0]
        desk.submit("annotator", works[0], "dog")
        if n == 0:  # one is under review already: that goes on
            held = desk.claims("reviewer", "review", count=2)
            assert {w["task"]["id"] for w in held} == {kept, reviewed}
    person = standing(desk)
    assert person["paused"] and person["accuracy"] == 0 and person["n"] == 5
    assert desk.claims("annotator") == []
    until(lambda: not standing(desk)["restoring"])
    assert [desk.state(task) for task in plain] == ["review"] + ["annotate"] * (len(plain) - 1)
    assert desk.state(kept) == "review"


def test_unreviewed_work_of_the_paused_goes_to_others(api):
    desk = golden(api, tasks=30, gold=8, gold_floor=0.6, gold_percent=0)
    plain = [desk.submit("annotator", desk.claim("annotator"))["task"]["id"] for _ in range(4)]
    desk.annotate("annotator2")
    project = desk("manager").ok("GET", desk.path)
    workflow = project["workflow"] | {"gold_percent": 100}
    desk("manager").ok("PATCH", desk.path, json={"workflow": workflow}, version=project["version"])
    while works := desk.claims("annotator"):
        desk.submit("annotator", works[0], "dog")
    assert standing(desk)["paused"] and standing(desk)["n"] == 5
    until(lambda: not standing(desk)["restoring"])
    for task in plain:
        event = desk.events(task)[-1]
        assert (event["action"], event["actor"], event["detail"]) == ("reject", None, {"gold": True})
        assert desk.state(task) == "annotate" and desk.task(task)["rework_count"] == 1
    assert desk.progress()["tasks"]["review"] == 1
    works = {w["task"]["id"] for w in desk.claims("annotator2", count=30)}
    assert set(plain) <= works


@pytest.mark.parametrize("body, status, pointer", [
    ({}, 422, "/task"), ({"task": 1}, 422, "/result"), ({"task": 1, "result": {}}, 422, "/result"), ({"task": "1", "result": []}, 422, "/task"),
    ({"task": 1 << 40, "result": choice("cat")}, 422, "/task"), ({"task": 1, "result": choice("cow")}, 422, None),
    ({"task": 1, "result": choice("cat"), "x": 1}, 422, "/x")])
def test_marks_that_are_none(api, body, status, pointer):
    desk = Desk(api)
    problem(desk("manager").post(f"{desk.path}/gold", json=body), status, pointer=pointer)


def test_only_fresh_tasks_become_gold(api):
    desk = Desk(api, tasks=3)
    held = desk.claim("annotator")["task"]["id"]
    done = desk.annotate("annotator2")["task"]["id"]
    fresh = next(t for t in desk.tasks if t not in (held, done))
    problem(mark(desk, held), 409, "conflict")
    problem(mark(desk, done), 409, "conflict")
    assert mark(desk, fresh).status_code == 201
    problem(mark(desk, fresh), 409, "conflict")
    problem(desk("manager").post(f"/v1/tasks/{fresh}/archive", version=desk.task(fresh)["version"]), 409, "conflict")
    other = Desk(api)
    problem(mark(desk, other.tasks[0]), 422, "invalid", "/task")
