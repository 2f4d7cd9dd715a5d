"""New versions of a label config: what would break is known before, and nothing breaks unsaid."""
import pytest

from kit import BOXES, Desk, box, choice, problem
from stand import CHOICES

MORE = CHOICES.replace('<Choice value="dog"/>', '<Choice value="dog"/><Choice value="bird"/>')
LESS = CHOICES.replace('<Choice value="dog"/>', "")
TEXT = '<View><Text name="text" value="$text"/><Labels name="span" toName="text"><Label value="a"/></Labels></View>'


def configs(desk, role="manager"):
    return desk(role).ok("GET", f"{desk.path}/label-configs")["label_configs"]


def check(desk, config, status=200, **more):
    return desk("manager").ok("POST", f"{desk.path}/label-configs/check", status, json={"label_config": config, **more})


def add(desk, config, version=1, **more):
    return desk("manager").post(f"{desk.path}/label-configs", json={"label_config": config, **more}, version=version)


@pytest.fixture(scope="module")
def labelled(api):
    """Cats and dogs in turn, the last one a draft of a dog, and one task with nothing."""
    desk = Desk(api, tasks=6, workflow={"review": {"mode": "none"}})
    for n in range(4):
        desk.annotate(value="dog" if n % 2 else "cat")
    work = desk.claim("annotator")
    desk("annotator").ok("PUT", f"/v1/assignments/{work['id']}/draft", json={"result": choice("dog")}, version=work["version"])
    desk.drafted = work["task"]["id"]
    return desk


def test_versions_are_listed_and_kept(api):
    desk = Desk(api)
    first = desk.annotate()
    made = add(desk, MORE)
    assert made.status_code == 201, made.text
    assert made.json()["label_config"] == MORE and made.json()["label_config_version"] == 2 and made.json()["version"] == 2
    assert [(c["version"], c["current"]) for c in configs(desk, "viewer")] == [(1, False), (2, True)]
    for version, xml in ((1, CHOICES), (2, MORE)):
        one = desk("annotator").ok("GET", f"{desk.path}/label-configs/{version}")
        assert one["label_config"] == xml and one["created_by"] == desk("manager" if version == 2 else "admin").user["id"]
    for bad in ("3", "0", "-1", "x", "99999999999"):
        problem(desk("viewer").get(f"{desk.path}/label-configs/{bad}"), 404)
    page = desk("viewer").ok("GET", f"{desk.path}/label-configs?limit=1")
    assert [c["version"] for c in page["label_configs"]] == [1] and page["next"] == 1
    assert desk.verdict("reviewer", desk.claim("reviewer", "review"), "fix", result=choice("bird"))["label"]["id"] != first["label"]["id"]


def test_labels_name_the_version_they_were_made_under(api, db):
    desk = Desk(api, tasks=2)
    desk.annotate()
    assert add(desk, MORE).status_code == 201
    for role in ("annotator", "annotator2"):  # the new one holds on every connection at once
        assert desk(role).ok("GET", desk.path)["label_config"] == MORE
    desk.annotate("annotator2", "bird")
    rows = db.execute("SELECT label_config_version FROM label_version WHERE project_id = %s ORDER BY id", (desk.project,)).fetchall()
    assert rows == [(1,), (2,)]


def test_what_would_break_is_told(labelled):
    report = check(labelled, MORE)
    assert report == {"labels": 4, "drafts": 1, "broken": 0, "reasons": [], "tasks": [], "next": None}
    report = check(labelled, LESS)
    dogs = sorted([t for t in labelled.tasks if labelled.task(t)["state"] == "done"
                   and labelled.result(labelled.task(t)["head_label"]) == choice("dog")] + [labelled.drafted])
    assert report["broken"] == 3 and report["tasks"] == dogs and report["labels"] == 4 and report["drafts"] == 1
    assert len(report["reasons"]) == 1 and report["reasons"][0]["count"] == 3 and "dog" in report["reasons"][0]["reason"]
    report = check(labelled, BOXES)
    assert report["broken"] == 5 and [r["count"] for r in report["reasons"]] == [5]
    assert "kind" in report["reasons"][0]["reason"] and "item" not in report["reasons"][0]["reason"]
    assert check(labelled, LESS, after=labelled.tasks[-1]) == {"labels": 0, "drafts": 0, "broken": 0, "reasons": [], "tasks": [], "next": None}


def test_what_breaks_is_not_applied_unsaid(labelled):
    before = configs(labelled)
    answer = problem(add(labelled, LESS), 409, "conflict", "/accept_broken")
    assert answer["report"]["broken"] == 3 and len(answer["report"]["tasks"]) == 3 and answer["report"]["next"] is None
    assert configs(labelled) == before and labelled("viewer").ok("GET", labelled.path)["version"] == 1
    problem(add(labelled, LESS, accept_broken=False), 409)
    problem(add(labelled, LESS, version=7, accept_broken=True), 412, "version-mismatch")
    assert add(labelled, LESS, accept_broken=True).status_code == 201
    problem(labelled.act("annotator", labelled.claim("annotator"), "submit", {"result": choice("dog")}), 422, "label-invalid")
    back = add(labelled, CHOICES, version=2)  # everything fits the old one again
    assert back.status_code == 201 and back.json()["label_config_version"] == 3


def test_text_is_checked_with_the_tasks_data(api):
    desk = Desk(api, tasks=0, label_config=TEXT, workflow={"review": {"mode": "none"}})
    api.tasks(desk.project, [{"text": "hello world", "short": "hi"}])
    span = [{"id": "s1", "from_name": "span", "to_name": "text", "type": "labels", "value": {"start": 6, "end": 11, "text": "world", "labels": ["a"]}}]
    desk.submit("annotator", desk.claim("annotator"), span)
    assert check(desk, TEXT)["broken"] == 0
    assert check(desk, TEXT.replace("$text", "$short"))["broken"] == 1


def test_unfinished_labels_may_lack_what_is_required(api):
    """A pre-label or draft is not finished, so a control that becomes required breaks neither; it breaks what was handed in."""
    desk = Desk(api, tasks=2, label_config=BOXES, workflow={"review": {"mode": "none"}})
    desk.submit("annotator", desk.claim("annotator"), [])
    work = desk.claim("annotator")
    desk("annotator").ok("PUT", f"/v1/assignments/{work['id']}/draft", json={"result": []}, version=work["version"])
    needs = BOXES.replace("<RectangleLabels ", '<RectangleLabels required="true" ')
    report = check(desk, needs)
    assert report["drafts"] == 1 and report["labels"] == 1 and report["broken"] == 1


def test_many_pages_and_at_most_a_hundred_tasks_named(api, db):
    desk = Desk(api, tasks=450, workflow={"review": {"mode": "none"}})
    for _ in range(2):
        for work in desk.claims("annotator", count=150):
            desk.submit("annotator", work, "dog")
    report = check(desk, LESS)
    assert report["labels"] == 300 and report["broken"] == 300 and report["next"] is None
    assert len(report["tasks"]) == 100 == len(set(report["tasks"])) and report["tasks"] == sorted(report["tasks"])
    middle = report["tasks"][50]
    assert check(desk, LESS, after=middle)["broken"] == 300 - 51


def test_a_damaged_document_is_a_reason(api, db):
    desk = Desk(api, workflow={"review": {"mode": "none"}})
    label = desk.annotate()["label"]["id"]
    good, = db.execute("SELECT sha256 FROM label_version WHERE id = %s", (label,)).fetchone()
    db.execute("UPDATE label_version SET sha256 = sha256('x') WHERE id = %s", (label,))
    report = check(desk, MORE)
    db.execute("UPDATE label_version SET sha256 = %s WHERE id = %s", (good, label))
    assert report["broken"] == 1 and "match its hash" in report["reasons"][0]["reason"]


@pytest.mark.parametrize("path", ["/label-configs", "/label-configs/check"])
def test_bad_label_configs(api, path):
    desk = Desk(api, tasks=0)
    for body, pointer in (({}, "/label_config"), ({"label_config": "<View>"}, "/label_config"), ({"label_config": 7}, "/label_config"),
                          ({"label_config": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><View>&e;</View>"}, "/label_config"),
                          ({"label_config": MORE, "after": -1}, "/after"), ({"label_config": MORE, "zz": 1}, "/zz")):
        problem(desk("manager").post(desk.path + path, json=body, version=1), 422, "invalid", pointer)
    problem(desk("manager").post(desk.path + path, json={"label_config": MORE, "accept_broken": 1}, version=1), 422, "invalid", "/accept_broken")


def test_two_at_once_give_one_version(api):
    desk = Desk(api, tasks=0)
    assert sorted(add(desk, config).status_code for config in (MORE, LESS)) == [201, 412]
    assert len(configs(desk)) == 2


def test_boxes_stay_when_a_label_is_added(api):
    desk = Desk(api, label_config=BOXES, workflow={"review": {"mode": "none"}})
    desk.submit("annotator", desk.claim("annotator"), box("bag"))
    wider = BOXES.replace('<Label value="bag"/>', '<Label value="bag"/><Label value="hat"/>')
    assert check(desk, wider)["broken"] == 0 and check(desk, BOXES.replace('<Label value="bag"/>', ""))["broken"] == 1
