"""Overlap with the metrics of a project: what agrees moves on as a merge of what was said, what does not is judged by a reviewer."""
import itertools
import json

import pytest
import stand
from kit import BOXES, Desk, Line, box, broken_rules, choice, people, problem, until

SPANS = """<View><Text name="text" value="$text"/><Labels name="span" toName="text"><Label value="PER"/><Label value="ORG"/></Labels></View>"""
MIXED = """<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="shoe"/><Label value="bag"/>
</RectangleLabels><Choices name="kind" toName="image"><Choice value="cat"/><Choice value="dog"/></Choices>
<Rating name="stars" toName="image" maxRating="5"/><TextArea name="note" toName="image"/></View>"""
MUST_BOX = """<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image" required="true"><Label value="shoe"/>
</RectangleLabels><Choices name="kind" toName="image"><Choice value="cat"/><Choice value="dog"/></Choices></View>"""
THREE = ("annotator", "annotator2", "manager")


def hand_in(desk, *results):
    """Each by another person; the task."""
    for role, result in zip(THREE, results):
        desk.done(role, desk.claim(role), "submit", {"result": result})
    return desk.task()


def kinds(desk):
    return [v["kind"] for v in desk.labels()]


def flow(metric, threshold, **more):
    return {"overlap": 2, "agreement": {"metric": metric, "threshold": threshold}, "review": {"mode": "none"}, **more}


def of_three(threshold=0.5, metric="auto", **more):
    return flow(metric, threshold, overlap=3, **more)


def merged(desk):
    """The result of the merge that is the task's label; it was made of every submission."""
    labels = desk.labels()
    *said, merge = labels
    assert [v["kind"] for v in labels] == ["submission"] * len(said) + ["merge"] and desk.task()["head_label"] == merge["id"]
    assert merge["merged_from"] == [v["id"] for v in said] and merge["parent"] == said[-1]["id"] and merge["author"] is None
    assert {v["merged_from"] for v in said} == {None}
    whole = desk("viewer").ok("GET", f"/v1/labels/{merge['id']}")
    assert {k: v for k, v in whole.items() if k != "result"} == merge
    return whole["result"]


def place(item):
    return item["value"]["x"], item["value"]["y"], item["value"]["width"], item["value"]["height"]


@pytest.mark.parametrize("metric, threshold, shift, agrees", [
    ("iou", 0.7, 1.0, True), ("iou", 0.95, 1.0, False), ("iou_f1", 0.9, 2.0, True), ("iou_f1", 0.9, 15.0, False),
    ("auto", 0.7, 1.0, True), ("exact", 0.7, 1.0, False)])
def test_boxes(api, metric, threshold, shift, agrees):
    desk = Desk(api, tasks=1, label_config=BOXES, workflow=flow(metric, threshold))
    task = hand_in(desk, box(x=10.0), box(x=10.0 + shift))
    assert task["state"] == ("done" if agrees else "review")
    assert kinds(desk) == ["submission", "submission"] + (["merge"] if agrees else [])


@pytest.mark.parametrize("metric", ["choices", "auto", "jaccard", "exact"])
@pytest.mark.parametrize("second, agrees", [("cat", True), ("dog", False)])
def test_choices(api, metric, second, agrees):
    desk = Desk(api, tasks=1, workflow=flow(metric, 0.7))
    assert hand_in(desk, choice("cat"), choice(second))["state"] == ("done" if agrees else "review")


@pytest.mark.parametrize("shift, state", [(1.0, "done"), (15.0, "review")])
def test_by_default_boxes_are_measured_as_boxes(api, shift, state):
    desk = Desk(api, tasks=1, label_config=BOXES, workflow={"overlap": 2, "review": {"mode": "none"}})
    assert desk("viewer").ok("GET", desk.path)["workflow"]["agreement"] == {"metric": "auto", "threshold": 0.7}
    assert hand_in(desk, box(x=10.0), box(x=10.0 + shift))["state"] == state


def test_controls_count_alike(api):
    """The mean of the controls: the box is not found again, the choice is the same."""
    for threshold, state in ((0.5, "done"), (0.51, "review")):
        desk = Desk(api, tasks=1, label_config=MIXED, workflow=flow("auto", threshold))
        assert hand_in(desk, box(x=10.0) + choice("cat"), box(x=60.0) + choice("cat"))["state"] == state
        assert desk.events()[-1]["detail"] == {"agreement": 0.5}


# ---- what the merge says ----

@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_boxes_are_averaged(api, order):
    """Also whoever comes first: the same three documents are the same merge but for whose id it keeps."""
    said = [box(x=10.0, y=20.0, width=20.0, height=20.0, region="a"), box(x=11.0, y=20.5, width=21.0, height=20.0, region="b"),
            box(x=13.0, y=21.0, width=20.0, height=20.0, region="c")]
    desk = Desk(api, label_config=BOXES, workflow=of_three())
    assert hand_in(desk, *[said[i] for i in order])["state"] == "done"
    [item] = merged(desk)
    assert place(item) == pytest.approx((34 / 3, 61.5 / 3, 61 / 3, 20), abs=1e-12)
    assert item["value"]["rectanglelabels"] == ["shoe"] and item["id"] == "b"  # of the one that is most like the others


def test_a_region_of_a_minority_is_dropped(api):
    desk = Desk(api, label_config=BOXES, workflow=of_three())
    hand_in(desk, box(region="a"), box(region="b") + box("bag", x=60.0, region="c"), box(x=10.3, region="d"))
    [item] = merged(desk)
    assert place(item) == pytest.approx((10.1, 10, 20, 20)) and item["value"]["rectanglelabels"] == ["shoe"]


def test_the_label_of_most_stands(api):
    desk = Desk(api, label_config=BOXES, workflow=of_three(0.3))
    hand_in(desk, box("bag", region="a"), box("shoe", region="b"), box("bag", region="c"))
    [item] = merged(desk)
    assert item["value"]["rectanglelabels"] == ["bag"]


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["cat", "dog", "cat"]))))
def test_two_of_three(api, order):
    desk = Desk(api, workflow=of_three(0.3))
    hand_in(desk, *map(choice, order))
    assert merged(desk) == choice("cat")


def note(text):
    return {"id": "n", "from_name": "note", "to_name": "image", "type": "textarea", "value": {"text": [text]}}


def stars(n):
    return {"id": "s", "from_name": "stars", "to_name": "image", "type": "rating", "value": {"rating": n}}


def test_every_question_has_its_own_majority(api):
    """No one document says it all: the choice of two, the median of the stars, the most frequent text, the mean of the boxes."""
    desk = Desk(api, label_config=MIXED, workflow=of_three(0.1))
    hand_in(desk, box(x=10.0, region="x") + choice("cat") + [stars(1), note("red")],
            box(x=10.6, region="y") + choice("dog") + [stars(3), note("blue")],
            box(x=10.9, region="z") + choice("cat") + [stars(5), note("blue")])
    by = {item["from_name"]: item["value"] for item in merged(desk)}
    assert by["kind"] == {"choices": ["cat"]} and by["stars"] == {"rating": 3} and by["note"] == {"text": ["blue"]}
    assert by["box"]["x"] == pytest.approx(10.5)


def span(start, end, region, text="Ada Lovelace met Babbage", label="PER"):
    return [{"id": region, "from_name": "span", "to_name": "text", "type": "labels",
             "value": {"start": start, "end": end, "text": text[start:end], "labels": [label]}}]


def test_spans_keep_their_bounds(api):
    """A text is not cut in the middle: the span of most stands, the one that a single person marked goes."""
    desk = Desk(api, tasks=0, label_config=SPANS, workflow=of_three(0.4))
    desk.tasks = [api.tasks(desk.project, [{"text": "Ada Lovelace met Babbage"}])["first_id"]]
    hand_in(desk, span(0, 12, "a"), span(0, 12, "b") + span(17, 24, "c"), span(4, 12, "d"))
    assert [item["value"] for item in merged(desk)] == [span(0, 12, "a")[0]["value"]]


def test_what_is_unknown_is_kept_from_the_representative(api):
    said = [box(x=x, region=region) for x, region in ((10.0, "a"), (10.3, "b"), (10.9, "c"))]
    for item, mark in zip(said, ("one", "two", "three")):
        item[0]["meta"] = {"text": [mark]}
        item[0]["x-tool"] = {"by": mark}
    desk = Desk(api, label_config=BOXES, workflow=of_three())
    hand_in(desk, *said)
    [item] = merged(desk)
    assert (item["id"], item["meta"], item["x-tool"]) == ("b", {"text": ["two"]}, {"by": "two"})
    assert place(item) == pytest.approx((10.4, 10, 20, 20))


def test_what_would_be_no_label_falls_back(api):
    """Each drew the box that has to be there, each elsewhere: without it the merge is no label, so the most representative stands."""
    said = [box(x=x, region=f"r{x:.0f}") + choice("cat") for x in (0.0, 30.0, 60.0)]
    desk = Desk(api, label_config=MUST_BOX, workflow=of_three(0.9, "choices"))
    assert hand_in(desk, *said)["state"] == "done"
    assert merged(desk) == said[0]
    detail = desk.events()[-1]["detail"]
    assert detail["agreement"] == 1 and "box" in detail["merge_refused"]


def test_what_somebody_said_is_not_stored_again(api, db):
    desk = Desk(api, workflow=of_three(0.3))
    hand_in(desk, choice("cat"), choice("cat"), choice("dog"))
    assert db.execute("""SELECT count(DISTINCT (pack, pack_off)) FROM label_version WHERE task_id = %s AND sha256 = (
        SELECT sha256 FROM label_version WHERE task_id = %s AND kind = 'merge')""", (desk.tasks[0],) * 2).fetchone() == (2,)


# ---- what becomes of the merge ----

def test_nobody_reviews_what_they_are_part_of(api):
    desk = Desk(api, label_config=BOXES, workflow=of_three(review={"mode": "all"}, qa={"percent": 100}))
    assert hand_in(desk, box(x=10.0), box(x=10.5), box(x=11.0))["state"] == "review"
    assert desk.claims("manager", "review") == []  # who handed one in
    work = desk.claim("reviewer", "review")
    assert work["label"]["kind"] == "merge" and work["labels"] == []
    desk.verdict("reviewer", work, "accept")
    assert desk.claims("manager", "qa") == []
    desk.verdict("qa", desk.claim("qa", "qa"), "accept")
    assert desk.state() == "done"


def test_work_that_was_sent_back_keeps_its_history(api):
    desk = Desk(api, label_config=BOXES, workflow=of_three(review={"mode": "all"}))
    hand_in(desk, box(x=10.0), box(x=10.5), box(x=11.0))
    merge = desk.labels()[-1]
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    desk.annotate("annotator", box(x=12.0))
    assert desk.labels()[-1]["parent"] == merge["id"] and desk.labels()[-1]["merged_from"] is None
    assert desk("viewer").ok("GET", f"/v1/labels/{merge['id']}")["merged_from"] == merge["merged_from"]


@pytest.fixture(scope="module")
def builder(start_worker):
    return start_worker("export", poll_ms=20)


def test_it_is_what_a_release_exports(api, builder):
    desk = Desk(api, label_config=BOXES, workflow=of_three())
    hand_in(desk, box(x=10.0), box(x=11.0), box(x=12.0))
    result, merge = merged(desk), desk.labels()[-1]
    made = desk("manager").ok("POST", f"{desk.path}/releases", 202, json={"name": "r"})
    until(lambda: desk("viewer").ok("GET", f"/v1/releases/{made['id']}")["state"] == "ready", 20)
    [line] = desk("manager").get(f"/v1/releases/{made['id']}/export?format=jsonl").text.splitlines()
    assert json.loads(line)["label"]["sha256"] == merge["sha256"]
    assert json.loads(line)["label"]["result"] == result and result[0]["value"]["x"] == pytest.approx(11)


def test_it_is_what_the_stream_carries(api, tmp_path, start_worker):
    desk = Desk(api, label_config=BOXES, workflow=of_three())
    hand_in(desk, box(x=10.0), box(x=11.0), box(x=12.0))
    result, merge = merged(desk), desk.labels()[-1]
    start_worker("stream", sink=f"file:{tmp_path}", poll_ms=20)
    def carried():
        records = [json.loads(line) for path in tmp_path.glob("*.jsonl") for line in path.read_text().splitlines()]
        return [r for r in records if str(r.get("topic", "")).endswith("labels") and str(r.get("key")) == str(desk.tasks[0])]
    until(carried, 20, "the label does not come")
    [record] = carried()
    assert (record["value"]["label"]["id"], record["value"]["label"]["kind"]) == (merge["id"], "merge")
    assert record["value"]["result"] == result


# ---- death at every point (I1) ----

@pytest.mark.parametrize("point, nth", [("merge.packed", 1), ("submit.applied", 1), ("blob.put.fsync", 2), ("blob.put.rename", 2)])
def test_kill_around_the_merge(db, server, api, monkeypatch, point, nth):
    desk = Desk(api, label_config=BOXES, workflow=flow("auto", 0.5))
    desk.submit("annotator", desk.claim("annotator"), box(x=10.0))
    work = desk.claim("annotator2")
    server.kill()
    monkeypatch.setitem(stand.ENVIRONMENT, "ANNOTATE_FAULT", f"{point}:{nth}:kill")
    server.start()
    monkeypatch.delitem(stand.ENVIRONMENT, "ANNOTATE_FAULT")
    with pytest.raises(OSError):
        desk.act("annotator2", work, "submit", {"result": box(x=11.0)})
    assert server.proc.wait(10) == -9
    server.start()
    assert broken_rules(db, server.directory / "blobs") == []
    assert kinds(desk) == ["submission"] + (["submission", "merge"] if point == "submit.applied" else [])
    desk.done("annotator2", work, "submit", {"result": box(x=11.0)})  # it counts once
    assert merged(desk)[0]["value"]["x"] == pytest.approx(10.5)


@pytest.mark.parametrize("point, nth", [("merge.packed", 1), ("blob.put.fsync", 2)])
def test_a_disk_that_fails_the_merge(server, api, monkeypatch, point, nth):
    desk = Desk(api, label_config=BOXES, workflow=flow("auto", 0.5))
    desk.submit("annotator", desk.claim("annotator"), box(x=10.0))
    work = desk.claim("annotator2")
    server.kill()
    monkeypatch.setitem(stand.ENVIRONMENT, "ANNOTATE_FAULT", f"{point}:{nth}:err")
    server.start()
    monkeypatch.delitem(stand.ENVIRONMENT, "ANNOTATE_FAULT")
    problem(desk.act("annotator2", work, "submit", {"result": box(x=11.0)}), 500)
    assert kinds(desk) == ["submission"]
    desk.done("annotator2", work, "submit", {"result": box(x=11.0)})
    assert merged(desk)[0]["value"]["x"] == pytest.approx(10.5)
    server.kill()
    server.start()
