"""Label Studio's own SDK as the judge of label configs and documents: each public template makes a project here, and what the SDK's generator
makes of it, a task and an annotation that the SDK holds for valid, is taken in."""
import json
import random

import pytest

from kit import Desk
from stand import ROOT

TEMPLATES = sorted((ROOT / "tests/data/templates").glob("*.xml"))
DRAWS = 3  # documents a template


# Where a region may lie on what an object shows. The generator draws most numbers without regard to one another: spans end before they start,
# boxes lie beside the picture, a taxonomy's paths lead nowhere, regions have no label.
PLACES = {
    "Image": {"x": 10.0, "y": 20, "width": 30.5, "height": 40, "rotation": 0},
    "Pdf": {"x": 1, "y": 2.5, "width": 3, "height": 4, "rotation": 0},
    "Text": {"start": 0, "end": 1.0},
    "HyperText": {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 0, "endOffset": 1},
    "Paragraphs": {"start": "0", "end": "0", "startOffset": 0, "endOffset": 1},
    "Audio": {"start": 0.5, "end": 1.25, "channel": 0},
    "TimeSeries": {"start": 1, "end": 2.5},
}
BRUSH = {"format": "rle", "rle": [0, 0, 0, 16, 57, 27, 252, 96, 19, 255, 198, 0]}
DRAWN = {"polygonlabels": {"points": [[1, 2], [3, 4.5], [5, 1]]}, "polygon": {"points": [[1, 2], [3, 4.5], [5, 1]]},
         "timelinelabels": {"ranges": [{"start": 1.0, "end": 2}]}, "brushlabels": BRUSH, "brush": BRUSH}
PLACED = ("labels", "hypertextlabels", "paragraphlabels", "timeserieslabels", "ocrlabels")


def sensible(interface, result):
    """The generator's result with its numbers put right; tags, types, labels and ids stay as they are."""
    out = []
    for item in result:
        value, shows = item.get("value", {}), interface.get_tag(item["to_name"]).tag if "to_name" in item else None
        if item["type"] == "taxonomy" or (item["type"] == "labels" and (shows not in PLACES or not value["labels"])):
            continue
        if item["type"] in PLACED and shows in PLACES:
            for key in ("start", "end", "startOffset", "endOffset", "globalOffsets", "x", "y", "width", "height", "text"):
                value.pop(key, None)
            value.update(PLACES[shows])
        value.update(DRAWN.get(item["type"], {}))
        for at, size in (("x", "width"), ("y", "height")):
            if isinstance(value.get(at), (int, float)) and isinstance(value.get(size), (int, float)):
                value[size] = min(value[size], 100 - value[at])
        for frame in value.get("sequence", []):
            frame.update(width=10, height=10.5, x=1, y=89, rotation=frame["rotation"] % 360)
        for key, said in value.items():
            if isinstance(said, list) and all(isinstance(one, str) for one in said) and key != "text":
                value[key] = list(dict.fromkeys(said))
        out.append(item)
    return out


@pytest.fixture(scope="module")
def interfaces():
    from label_studio_sdk.label_interface import LabelInterface  # here: it takes seconds to load
    return {path.stem: LabelInterface(path.read_text()) for path in TEMPLATES}


def test_there_are_templates():
    assert len(TEMPLATES) == 69


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_what_the_sdk_makes_of_a_template(api, interfaces, path):
    random.seed(path.stem)
    interface = interfaces[path.stem]
    desk = Desk(api, tasks=0, label_config=path.read_text())
    items = []
    for _ in range(DRAWS):
        made = interface.generate_sample_annotation()
        if made is None:  # the SDK can make none of this one
            continue
        assert interface.validate_annotation(made)
        items.append({"data": interface.generate_sample_task(), "predictions": [{"result": sensible(interface, made["result"]), "model_version": "sdk"}]})
    answer = desk("manager").post(f"{desk.path}/tasks", data=json.dumps(items or [{"data": interface.generate_sample_task()}]),
                                  headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["created"] == max(1, len(items)) and answer.json()["labels"] == len(items)
