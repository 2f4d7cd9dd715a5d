"""Tracks out: CVAT for video as Datumaro reads it, the frames between key frames as Label Studio's own tools have them."""
import copy
import math
import struct
from xml.etree import ElementTree

import pytest

from export_env import Shelf, builder  # noqa: F401
from kit import problem

WIDTH, HEIGHT, FRAMES = 400, 200, 30
CONFIG = """<View><Video name="video" value="$video" frameRate="25"/><VideoRectangle name="box" toName="video"/>
<Labels name="what" toName="video"><Label value="Car"/><Label value="羊 &lt;1&gt;"/></Labels>
<Choices name="colour" toName="video" perRegion="true"><Choice value="red"/><Choice value="blue"/></Choices>
<TimelineLabels name="part" toName="video"><Label value="intro"/></TimelineLabels></View>"""


def film(seed=0):
    """The heads of an MP4: nothing more is looked at."""
    def box(kind, *parts):
        body = b"".join(parts)
        return struct.pack(">I", len(body) + 8) + kind + body
    movie = bytes(12) + struct.pack(">II", 1000, 1200) + bytes(80)
    track = bytes(76) + struct.pack(">II", WIDTH << 16, HEIGHT << 16)
    return box(b"ftyp", b"isom\0\0\0\0isom") + box(b"moov", box(b"mvhd", movie), box(b"trak", box(b"tkhd", track))) + bytes([seed])


def key(frame, x, y, width, height, rotation=0, enabled=True):
    """In pixels, frames from 1."""
    return {"frame": frame, "enabled": enabled, "time": frame / 25, "x": x * 100 / WIDTH, "y": y * 100 / HEIGHT, "width": width * 100 / WIDTH,
            "height": height * 100 / HEIGHT, "rotation": rotation}


def track(region, label, *keys):
    return {"id": region, "from_name": "box", "to_name": "video", "type": "videorectangle",
            "value": {"framesCount": FRAMES, "duration": FRAMES / 25, "sequence": list(keys), **({"labels": [label]} if label else {})}}


TRACKS = [
    track("a", "Car", key(3, 40, 20, 60, 40), key(13, 80, 60, 80, 20), key(20, 80, 60, 80, 20, enabled=False), key(25, 10, 10, 20, 20)),
    {"id": "a", "from_name": "colour", "to_name": "video", "type": "choices", "value": {"choices": ["red"]}},
    track("b", "羊 <1>", key(10, 200, 50, 60, 30, 20, enabled=False), key(1, 200, 50, 60, 30, 20)),
    track("c", "Car", key(1, 100, 100, 40, 20), key(11, 140, 100, 40, 20, 90), key(30, 140, 100, 40, 20, 90)),
    track("d", None, key(1, 1, 1, 1, 1)),
    {"id": "t", "from_name": "part", "to_name": "video", "type": "timelinelabels",
     "value": {"ranges": [{"start": 1, "end": 5}], "timelinelabels": ["intro"]}},
]


@pytest.fixture(scope="module")
def shelf(api, builder):  # noqa: F811
    return Shelf(api, CONFIG, "video", [(film(1), TRACKS), (film(2), []), ("https://example.org/far.mp4", TRACKS[:1])], splits=("train", "val"))


@pytest.fixture(scope="module")
def films(shelf, tmp_path_factory):
    return shelf.unpack("cvat-video", tmp_path_factory.mktemp("films"))


def centre(at):
    """Of the box as the editor draws it, in pixels: it turns about its corner."""
    x, y, w, h = at["x"] * WIDTH / 100, at["y"] * HEIGHT / 100, at["width"] * WIDTH / 100, at["height"] * HEIGHT / 100
    c, s = math.cos(math.radians(at["rotation"])), math.sin(math.radians(at["rotation"]))
    return x + w / 2 * c - h / 2 * s, y + w / 2 * s + h / 2 * c, w, h, at["rotation"] % 360


def expected():
    """track -> frame from 0 -> box, by Label Studio's own postprocessing."""
    from label_studio_sdk._extensions.label_studio_tools.postprocessing.video import extract_key_frames
    parts = [part for part in TRACKS if part["type"] == "videorectangle" and part["value"].get("labels")]
    return [{at["frame"] - 1: centre(at) for at in part["value"]["sequence"]} for part in extract_key_frames(copy.deepcopy(parts))]


def boxes(path):
    """The same from our XML, without what is outside."""
    root = ElementTree.parse(path).getroot()
    out = []
    for one in root.iter("track"):
        out.append({})
        for box in one.iter("box"):
            left, top, right, bottom = (float(box.get(k)) for k in ("xtl", "ytl", "xbr", "ybr"))
            if box.get("outside") == "0":
                assert int(box.get("frame")) not in out[-1]
                out[-1][int(box.get("frame"))] = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, float(box.get("rotation", 0)))
    return root, out


def test_every_frame_is_where_label_studio_has_it(shelf, films):
    where, report = films
    root, found = boxes(where / f"annotations/{shelf.name(0)}.xml")
    wanted = expected()
    assert [set(t) for t in found] == [set(t) for t in wanted] and [len(t) for t in found] == [24, 10, 30]
    for ours, theirs in zip(found, wanted):
        for frame, box in ours.items():
            assert box == pytest.approx(theirs[frame], abs=1e-3), frame
    task = root.find("meta/task")
    assert (task.findtext("size"), task.findtext("stop_frame"), task.findtext("mode"), task.findtext("subset")) == ("30", "29", "interpolation", "train")
    assert (task.findtext("original_size/width"), task.findtext("original_size/height")) == (str(WIDTH), str(HEIGHT))
    assert {label.findtext("name") for label in task.iter("label")} >= {"Car", "羊 <1>"}
    assert report["lost"] == {"films.size": 1, "regions.timelinelabels": 1, "regions.unlabelled": 1} and report["media"] == 2
    assert (where / f"videos/{shelf.name(0)}.mp4").read_bytes() == film(1)


def test_where_a_track_is_outside_and_what_is_a_key_frame(shelf, films):
    root, _ = boxes(films[0] / f"annotations/{shelf.name(0)}.xml")
    first, second, third = root.iter("track")
    def of(one, name, value="1"):
        return [int(box.get("frame")) for box in one.iter("box") if box.get(name) == value]
    assert of(first, "outside") == [20] and of(first, "keyframe") == [2, 12, 19, 20, 24]
    assert of(second, "outside") == [10] and of(second, "keyframe") == [0, 9, 10]
    assert of(third, "outside") == [] and of(third, "keyframe") == list(range(11)) + [29]  # it turns until the eleventh
    assert {box.findtext("attribute") for box in first.iter("box")} == {"red"}
    assert not list(ElementTree.parse(films[0] / f"annotations/{shelf.name(1)}.xml").getroot().iter("track"))


def test_datumaro_reads_tracks(shelf, films):
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset
    data = Dataset.import_from(str(films[0] / "annotations"), "cvat")
    names = data.categories()[AnnotationType.label]
    found = {}
    for item in data:
        assert item.subset == shelf.name(0)
        for one in item.annotations:
            assert names.items[one.label].name == ["Car", "羊 <1>", "Car"][one.attributes["track_id"]]
            if not one.attributes["outside"]:
                box = (one.cx, one.cy, one.w, one.h, one.r) if one.type.name == "rotated_bbox" else (
                    one.points[0] + one.w / 2, one.points[1] + one.h / 2, one.w, one.h, 0)
                found.setdefault(one.attributes["track_id"], {})[item.attributes["frame"]] = box
    for number, theirs in enumerate(expected()):
        assert set(found[number]) == set(theirs)
        assert all(box == pytest.approx(theirs[frame], abs=0.02) for frame, box in found[number].items())


def test_labelled_frames_only(shelf, tmp_path):
    whole = shelf.export("cvat-video", container="zip", labelled="true")
    import io
    import zipfile
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        archive.extractall(tmp_path)
    assert not (tmp_path / f"annotations/{shelf.name(1)}.xml").exists()
    _, found = boxes(tmp_path / f"annotations/{shelf.name(0)}.xml")
    assert [sorted(t) for t in found] == [[2, 12, 19, 24], [0, 9], [0, 10, 29]]


def test_a_film_of_any_length(api, builder, tmp_path):  # noqa: F811
    """A document may claim it: what lies between is left out then."""
    part = track("a", "Car", key(1, 0, 0, 10, 10), key(1000000000, 10, 10, 10, 10))
    shelf = Shelf(api, CONFIG, "video", [(film(3), [part])])
    where, report = shelf.unpack("cvat-video", tmp_path)
    _, found = boxes(where / f"annotations/{shelf.name(0)}.xml")
    assert [sorted(t) for t in found] == [[0, 999999999]] and report["lost"] == {"frames": 1}


def test_what_has_no_film(api, builder):  # noqa: F811
    plain = Shelf(api, '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>', "t", [("a text", [])])
    assert "Video" in problem(plain.answer("cvat-video", container="zip"), 422, pointer="/format")["detail"]
