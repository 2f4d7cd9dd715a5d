"""Versions of a label: the difference of any two by region, blame per region over edits, merges, restores, late work and models, the same in
the CLI; and Label Studio's JSON in, out and in again without a value changed."""
import json
import subprocess

import pytest

from kit import BOXES, Desk, box, choice, problem, until
from stand import BIN, CRASH, ENVIRONMENT

EMPTY = {name: [] for name in ("added", "removed", "moved", "relabelled", "changed", "linked", "unlinked")}


def regions(**which):
    """A document of BOXES: regions(r=10, s=("bag", 30))."""
    out = []
    for name, where in which.items():
        label, x = where if isinstance(where, tuple) else ("shoe", where)
        out += box(label, x=float(x), region=name)
    return out


def compared(desk, a, b):
    return desk("viewer").ok("GET", f"/v1/labels/{a}/diff/{b}")


def blamed(desk, label=None, task=None):
    """{region: (seq, kind)} of a task's label."""
    answer = desk("viewer").ok("GET", f"/v1/tasks/{task or desk.tasks[0]}/blame", params={"label": label} if label else {})
    versions = {v["id"]: (v["seq"], v["kind"]) for v in answer["versions"]}
    assert answer["complete"] and set(versions) == {one["label"] for one in answer["blame"]}
    return {one["id"] if one["to_id"] is None else (one["id"], one["to_id"]): versions[one["label"]] for one in answer["blame"]}


def reviewed(desk, document):
    """Submitted by annotator, fixed by the reviewer: (first, second)."""
    first = desk.submit("annotator", desk.claim("annotator"), document[0])["label"]["id"]
    second = desk.verdict("reviewer", desk.claim("reviewer", "review"), "fix", result=document[1])["label"]["id"]
    return first, second


@pytest.fixture(scope="module")
def desk(api):
    desk = Desk(api, label_config=BOXES)
    desk.first, desk.second = reviewed(desk, (regions(r=10, s=("bag", 30), gone=50), regions(r=15, s=("shoe", 30), t=70)))
    return desk


def restored(desk, label):
    return desk("reviewer").ok("POST", f"/v1/tasks/{desk.tasks[0]}/restore-label", json={"label": label}, version=desk.task()["version"])["label"]["id"]


# ---- diff ----

def test_the_difference_of_two_versions(desk):
    answer = compared(desk, desk.first, desk.second)
    assert (answer["before"]["id"], answer["after"]["id"]) == (desk.first, desk.second)
    assert (answer["before"]["seq"], answer["after"]["kind"]) == (1, "review_fix") and answer["after"]["parent"] == desk.first
    diff = answer["diff"]
    assert diff["added"] == [{"id": "t", "type": "rectanglelabels", "labels": ["shoe"]}]
    assert diff["removed"] == [{"id": "gone", "type": "rectanglelabels", "labels": ["shoe"]}]
    moved, = diff["moved"]
    assert moved["id"] == "r" and moved["shift"] == pytest.approx([5, 0]) and moved["likeness"] == pytest.approx(0.6)
    assert diff["relabelled"] == [{"id": "s", "before": ["bag"], "after": ["shoe"]}]
    back = compared(desk, desk.second, desk.first)["diff"]
    assert back["added"] == diff["removed"] and back["removed"] == diff["added"] and back["moved"][0]["shift"] == pytest.approx([-5, 0])
    assert compared(desk, desk.first, desk.first)["diff"] == EMPTY


def test_versions_of_two_tasks_have_no_difference(api, desk):
    other = Desk(api, label_config=BOXES)
    stranger = other.submit("annotator", other.claim("annotator"), regions(r=1))["label"]["id"]
    for path in (f"{desk.first}/diff/{stranger}", f"{stranger}/diff/{desk.first}", f"{desk.first}/diff/999999999"):
        problem(desk("viewer").get(f"/v1/labels/{path}"), 404, "not-found")
    problem(api("admin", "b").get(f"/v1/labels/{desk.first}/diff/{desk.second}"), 404)
    assert desk("viewer").get(f"/v1/labels/{desk.first}/diff/x").status_code == 404


# ---- blame ----

def test_blame_over_a_fix_and_a_restore(api):
    desk = Desk(api, label_config=BOXES)
    assert desk("viewer").ok("GET", f"/v1/tasks/{desk.tasks[0]}/blame") == {"label": None, "complete": True, "blame": [], "versions": []}
    first, second = reviewed(desk, (regions(r=10, s=30), regions(r=15, s=30, t=70)))
    assert blamed(desk) == {"r": (2, "review_fix"), "s": (1, "submission"), "t": (2, "review_fix")}
    assert blamed(desk, first) == {"r": (1, "submission"), "s": (1, "submission")}
    restored(desk, first)  # who chose the old version changed nothing in it
    assert blamed(desk) == {"r": (1, "submission"), "s": (1, "submission")}
    answer = desk("viewer").ok("GET", f"/v1/tasks/{desk.tasks[0]}/blame")
    author, = {v["author"] for v in answer["versions"]}
    assert author == desk("annotator").user["id"] and answer["label"] == desk.task()["head_label"]
    problem(desk("viewer").get(f"/v1/tasks/{desk.tasks[0]}/blame?label=999999999"), 404, "not-found", "/label")
    problem(desk("viewer").get(f"/v1/tasks/{desk.tasks[0]}/blame?label=0"), 422, "invalid", "/label")


def test_blame_over_late_work_adopted_and_merged(api):
    desk = Desk(api, label_config=BOXES)
    work = desk.claim("annotator")
    desk.done("annotator", work, "release")
    taken = desk.claim("annotator2")
    late = problem(desk.act("annotator", work, "submit", {"result": regions(mine=10)}), 412)["late_label"]
    desk.submit("annotator2", taken, regions(theirs=50))
    answer = desk("reviewer").post(f"/v1/labels/{late}/merge", version=desk.task()["version"])
    assert answer.status_code == 200, answer.text
    assert blamed(desk) == {"mine": (1, "late"), "theirs": (2, "submission")}
    desk("viewer").ok("GET", f"/v1/labels/{desk.task()['head_label']}")

    other = Desk(api, label_config=BOXES)
    work = other.claim("annotator")
    other.done("annotator", work, "release")
    taken = other.claim("annotator2")
    late = problem(other.act("annotator", work, "submit", {"result": regions(mine=10)}), 412)["late_label"]
    other.submit("annotator2", taken, regions(theirs=50))
    answer = other("reviewer").post(f"/v1/labels/{late}/adopt", version=other.task()["version"])
    assert answer.status_code == 200, answer.text
    assert blamed(other) == {"mine": (1, "late")}


def test_what_a_model_said_and_a_person_left_is_the_models(api):
    desk = Desk(api, workflow={"prelabel": True}, label_config=BOXES)
    work = desk.claim("model", "prelabel")
    said = [item | {"origin": "prediction", "score": 0.5} for item in regions(kept=10, moved=30)]
    desk("model").ok("POST", f"{desk.path}/predictions", json={"predictions": [
        {"assignment": work["id"], "version": work["version"], "model": "pets@1", "score": 0.5, "result": said}]})
    desk.submit("annotator", desk.claim("annotator"), regions(kept=10, moved=35, new=70))
    assert blamed(desk) == {"kept": (1, "prelabel"), "moved": (2, "submission"), "new": (2, "submission")}
    model, = [v for v in desk("viewer").ok("GET", f"/v1/tasks/{desk.tasks[0]}/blame")["versions"] if v["kind"] == "prelabel"]
    assert (model["model"], model["author"]) == ("pets@1", None)


def test_blame_of_answers_and_relations(api):
    config = BOXES.replace("</View>", '<Choices name="kind" toName="image"><Choice value="cat"/><Choice value="dog"/></Choices></View>')
    desk = Desk(api, label_config=config)
    link = {"type": "relation", "from_id": "r", "to_id": "s", "direction": "right"}
    first = regions(r=10, s=30) + choice("cat")
    reviewed(desk, (first, first[:2] + choice("dog") + [link]))
    assert blamed(desk) == {"r": (1, "submission"), "s": (1, "submission"), "c1": (2, "review_fix"), ("r", "s"): (2, "review_fix")}


# ---- the CLI ----

@pytest.fixture
def cli(desk, tmp_path):
    token = tmp_path / "token"
    token.touch(0o600)

    def run(role, *words, ok=True):
        token.write_text(desk("manager").headers["Authorization"].split()[1] if role == "manager" else
                         desk(role).headers["Authorization"].split()[1])
        done = subprocess.run([BIN / "annotate", "--server", desk(role).url, "--token-file", token, "label", *map(str, words)],
                              env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
        assert not CRASH.search(done.stderr), done.stderr
        assert (done.returncode == 0) == ok, done.stderr
        return done.stdout if ok else done.stderr
    return run


def test_labels_in_the_cli(desk, cli):
    lines = cli("viewer", "list", "--task", desk.tasks[0]).splitlines()
    assert [line.split("  ")[:3] for line in lines[:2]] == [[str(desk.first), "#1", "submission"], [str(desk.second), "#2", "review_fix"]]
    assert f"user {desk('annotator').user['id']}  " in lines[0] and lines[0].endswith("3 regions")
    assert json.loads(cli("viewer", "show", desk.first))["result"] == desk.result(desk.first)
    text = cli("viewer", "diff", desk.first, desk.second)
    assert "\033" not in text  # no terminal
    before, after, *changes = text.splitlines()
    assert before.startswith(f"--- {desk.first}  #1  submission  user ") and after.startswith(f"+++ {desk.second}  #2  review_fix  user ")
    assert changes == ['- gone  rectanglelabels ["shoe"]', '+ t  rectanglelabels ["shoe"]', "~ r  moved by +5, +0, likeness 0.6",
                       '~ s  labels ["bag"] -> ["shoe"]']
    assert json.loads(cli("viewer", "diff", "--json", desk.first, desk.second)) == compared(desk, desk.first, desk.second)
    lines = cli("viewer", "blame", "--task", desk.tasks[0]).splitlines()
    assert [line.split("  ")[1] for line in lines] == ["#2", "#2", "#2"] and lines[0].endswith("region r  box")
    assert len(cli("viewer", "blame", "--task", desk.tasks[0], "--label", desk.first).splitlines()) == 3
    assert "no such label" in cli("viewer", "show", 999999999, ok=False)
    assert "not the number" in cli("viewer", "diff", "x", desk.first, ok=False)


def test_a_restore_in_the_cli(desk, cli):
    made = json.loads(cli("reviewer", "restore", desk.first))
    assert made["task"]["state"] == "review" and desk.task()["head_label"] == made["label"]["id"]
    assert desk.result(made["label"]["id"]) == desk.result(desk.first) and len(desk.labels()) == 3
    assert "says the same already" in cli("reviewer", "restore", desk.first, ok=False)


# ---- in, out, in ----

NASTY = """<View><Image name="image" value="$image"/><Text name="text" value="$text"/>
<RectangleLabels name="box" toName="image"><Label value="Größe ✓ 😀"/><Label value="a&quot;b"/></RectangleLabels>
<PolygonLabels name="poly" toName="image"><Label value="x"/></PolygonLabels>
<BrushLabels name="brush" toName="image"><Label value="x"/></BrushLabels>
<Labels name="ner" toName="text"><Label value="PER"/></Labels>
<TextArea name="say" toName="text"/><Number name="num" toName="text"/></View>"""


def nasty():
    image = {"to_name": "image", "original_width": 1000, "original_height": 500, "image_rotation": 0, "origin": "manual"}
    numbers = [0.1 + 0.2, 33.333333333333336, 1e-7, 5e-324, 99.99999999999999, 12.000000000000002, 1 / 3, 2 / 3, 66.66666666666667, 1e-300]
    boxes = [image | {"id": f"n{i}", "type": "rectanglelabels", "from_name": "box", "score": 0.30000000000000004,
                      "value": {"x": x, "y": 0, "width": 100 - x if x > 1 else 1.1, "height": 4.35, "rotation": 0, "rectanglelabels": ["Größe ✓ 😀"]}}
             for i, x in enumerate(numbers)]
    return boxes + [
        image | {"id": "p", "type": "polygonlabels", "from_name": "poly", "unknown": {"deep": [1e21, 123456789.12345679, 9007199254740991, -1.5e-9, True, None]},
                 "meta": {"text": ["\u2028 \\ \" / \u0001 \u200d 👩‍👩‍👧 e\u0301"], "lead_time": 0.1},
                 "value": {"points": [[a, b] for a, b in zip(numbers, reversed(numbers))], "closed": True, "polygonlabels": ["x"]}},
        image | {"id": "b", "type": "brushlabels", "from_name": "brush", "original_width": 2, "original_height": 2,
                 "value": {"format": "rle", "rle": [0, 0, 0, 16, 57, 27, 252, 96, 19, 255, 198, 0], "brushlabels": ["x"]}},
        {"id": "t", "type": "labels", "from_name": "ner", "to_name": "text", "value": {"start": 2, "end": 4, "text": "😀😀", "labels": ["PER"]}},
        {"id": "s", "type": "textarea", "from_name": "say", "to_name": "text", "value": {"text": ["مرحبا", "", "\ttab\r\n", "NUL is \ufffd"]}},
        {"id": "q", "type": "number", "from_name": "num", "to_name": "text", "value": {"number": -2.2250738585072014e-308}},
        {"type": "relation", "from_id": "t", "to_id": "p", "direction": "bi"},
    ]


def test_label_studio_json_in_out_and_in_changes_no_value(api, start_worker):
    start_worker("export", poll_ms=20)
    data = {"image": "/x.png", "text": "a 😀😀 z"}
    result, seen = nasty(), []
    for turn in range(2):
        desk = Desk(api, tasks=0, label_config=NASTY, workflow={"review": {"mode": "none"}})
        made = api.tasks(desk.project, [{"data": data, "annotations": [{"result": result, "ground_truth": True}]}])
        head = desk.task(made["first_id"])["head_label"]
        label = desk("viewer").ok("GET", f"/v1/labels/{head}")
        assert label["result"] == nasty(), turn
        seen.append(label["sha256"])
        if desk.state(made["first_id"]) != "done":
            work = desk.claim("annotator")
            desk.submit("annotator", work, label["result"])
        built = desk("manager").ok("POST", f"{desk.path}/releases", 202, json={"name": "r"})["id"]
        until(lambda: desk("viewer").ok("GET", f"/v1/releases/{built}")["state"] == "ready", 20)
        task, = desk("manager").ok("GET", f"/v1/releases/{built}/export", params={"format": "label-studio"})
        result = task["annotations"][0]["result"]
        assert result == nasty() and task["data"] == data
    assert seen[0] == seen[1]
