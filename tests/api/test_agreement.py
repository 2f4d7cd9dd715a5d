"""Overlap with the metrics of a project: what agrees moves on as a merge, what does not is judged by a reviewer."""
import pytest
from kit import BOXES, Desk, box, choice


def hand_in_both(desk, one, two):
    for role, result in (("annotator", one), ("annotator2", two)):
        desk.done(role, desk.claim(role), "submit", {"result": result})
    return desk("manager").ok("GET", f"/v1/tasks/{desk.tasks[0]}")


def kinds(desk):
    return [v["kind"] for v in desk("manager").ok("GET", f"/v1/tasks/{desk.tasks[0]}/labels")["labels"]]


def flow(metric, threshold):
    return {"overlap": 2, "agreement": {"metric": metric, "threshold": threshold}, "review": {"mode": "none"}}


@pytest.mark.parametrize("metric, threshold, shift, agrees", [
    ("iou", 0.7, 1.0, True), ("iou", 0.95, 1.0, False), ("iou_f1", 0.9, 2.0, True), ("iou_f1", 0.9, 15.0, False),
    ("auto", 0.7, 1.0, True), ("exact", 0.7, 1.0, False)])
def test_boxes(api, metric, threshold, shift, agrees):
    desk = Desk(api, tasks=1, label_config=BOXES, workflow=flow(metric, threshold))
    task = hand_in_both(desk, box(x=10.0), box(x=10.0 + shift))
    assert task["state"] == ("done" if agrees else "review")
    assert kinds(desk) == ["submission", "submission"] + (["merge"] if agrees else [])


@pytest.mark.parametrize("metric", ["choices", "auto", "jaccard", "exact"])
@pytest.mark.parametrize("second, agrees", [("cat", True), ("dog", False)])
def test_choices(api, metric, second, agrees):
    desk = Desk(api, tasks=1, workflow=flow(metric, 0.7))
    assert hand_in_both(desk, choice("cat"), choice(second))["state"] == ("done" if agrees else "review")
