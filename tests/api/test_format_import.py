"""Data sets of other tools, made by pycocotools and Datumaro, imported by `annotate import --format`: pixel for pixel, once, all or nothing."""
import json
import subprocess
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from kit import Desk
from stand import BIN, CRASH, ENVIRONMENT

WIDTH, HEIGHT = 64, 48
CONFIG = """<View><Image name="img" value="$image"/>
<RectangleLabels name="box" toName="img"><Label value="cat"/><Label value="dog"/></RectangleLabels>
<PolygonLabels name="poly" toName="img"><Label value="dog"/></PolygonLabels>
<BrushLabels name="brush" toName="img"><Label value="sky"/></BrushLabels>
<KeyPointLabels name="point" toName="img"><Label value="nose"/><Label value="tail"/></KeyPointLabels>
<Choices name="scene" toName="img"><Choice value="day"/><Choice value="night"/></Choices></View>"""


@pytest.fixture
def desk(api):
    return Desk(api, tasks=0, label_config=CONFIG)


@pytest.fixture
def run(server, desk, tmp_path):
    """`annotate import --format FORMAT PATH`: the sums and what was said."""
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(desk("manager").headers["Authorization"].partition(" ")[2])

    def command(kind, path, *words, status=0, project=None):
        done = subprocess.run([BIN / "annotate", "import", "--server", server.url, "--token-file", token, "--project", str(project or desk.project),
                               "--format", kind, *map(str, words), path], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
        assert not CRASH.search(done.stderr), done.stderr
        assert done.returncode == status, done.stderr
        return (json.loads(done.stdout) if done.stdout else None), done.stderr
    return command


def picture(path, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT), (shade, 10, 20)).save(path)


def tasks(desk):
    """By external id: the task and its head label's result."""
    found = {}
    for task in desk("manager").ok("GET", f"{desk.path}/tasks?limit=500")["tasks"]:
        full = desk.task(task["id"])
        found[full["external_id"]] = (full, desk.result(full["head_label"]) if full["head_label"] else None)
    return found


def pixels(item):
    v = item["value"]
    return [v["x"] * WIDTH / 100, v["y"] * HEIGHT / 100, v["width"] * WIDTH / 100, v["height"] * HEIGHT / 100]


def coco(path):
    from pycocotools import mask
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    drawn[5:20, 7:30] = 1
    drawn[40, ::3] = 1
    packed = mask.encode(drawn)
    lists = np.diff(np.flatnonzero(np.diff(drawn.flatten(order="F"), prepend=0, append=2)), prepend=0)
    for name in "ab":
        picture(path / f"images/val2017/{name}.png", ord(name))
    text = {"info": {}, "licenses": [], "images": [{"id": 9, "file_name": "b.png", "width": WIDTH, "height": HEIGHT},
                                                   {"id": 4, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
            "annotations": [
                {"id": 1, "image_id": 9, "category_id": 3, "iscrowd": 1, "bbox": [7, 5, 23, 15], "area": int(drawn.sum()),
                 "segmentation": {"size": [HEIGHT, WIDTH], "counts": packed["counts"].decode()}},
                {"id": 2, "image_id": 4, "category_id": 1, "iscrowd": 0, "bbox": [1.25, 2.5, 30.125, 40], "area": 1, "segmentation": [],
                 "keypoints": [3, 4, 2, 0, 0, 0], "num_keypoints": 1},
                {"id": 3, "image_id": 9, "category_id": 3, "iscrowd": 1, "bbox": [7, 5, 23, 15], "area": int(drawn.sum()),
                 "segmentation": {"size": [HEIGHT, WIDTH], "counts": [int(n) for n in lists]}},
                {"id": 5, "image_id": 4, "category_id": 2, "iscrowd": 0, "bbox": [1, 2, 9, 8], "area": 1, "segmentation": [[1, 2, 10, 3, 4, 10]]}],
            "categories": [{"id": 1, "name": "cat", "keypoints": ["nose", "tail"], "skeleton": []}, {"id": 2, "name": "dog"}, {"id": 3, "name": "sky"}]}
    (path / "annotations").mkdir()
    (path / "annotations/instances_val2017.json").write_text(json.dumps(text))
    return drawn


def archive(path, kind, out):
    if kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            for f in sorted(path.rglob("*")):
                z.write(f, f.relative_to(path))
    elif kind == "tar.zst":
        archive(path, "tar", out.with_suffix(".plain"))
        subprocess.run(["zstd", "-q", out.with_suffix(".plain"), "-o", out], check=True)
    else:
        with tarfile.open(out, "w:gz" if kind == "tar.gz" else "w") as t:
            t.add(path, "set")
    return out


def unpacked(item):
    """The mask of a brush item, by Label Studio's own decoder."""
    from label_studio_sdk.converter.brush import decode_rle
    return decode_rle(item["value"]["rle"]).reshape(HEIGHT, WIDTH, 4)[:, :, 3] > 0


def test_coco(desk, run, tmp_path):
    drawn = coco(tmp_path / "set") if (tmp_path / "set").mkdir() is None else None
    sums, said = run("coco", tmp_path / "set")
    assert (sums["created"], sums["failed"], sums["labels"], sums["changed"]) == (2, 0, 2, {"iscrowd": 2}), said
    got = tasks(desk)
    assert set(got) == {"images/val2017/a.png", "images/val2017/b.png"}
    task, result = got["images/val2017/a.png"]
    assert task["meta"] == {"split": "val2017"} and task["data"]["image"].startswith("/v1/assets/")
    kinds = [item["type"] for item in result]
    assert kinds == ["rectanglelabels", "keypointlabels", "polygonlabels"]
    assert pixels(result[0]) == pytest.approx([1.25, 2.5, 30.125, 40], abs=1e-9)
    assert result[1]["parentID"] == result[0]["id"] and result[1]["value"]["keypointlabels"] == ["nose"]
    assert np.allclose(np.array(result[2]["value"]["points"]) * [WIDTH / 100, HEIGHT / 100], [[1, 2], [10, 3], [4, 10]])
    for item in got["images/val2017/b.png"][1]:
        assert (unpacked(item) == drawn.astype(bool)).all()
    assert run("coco", tmp_path / "set")[0]["skipped"] == 2
    assert len(tasks(desk)) == 2


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.zst"])
def test_archives(desk, run, tmp_path, kind):
    (tmp_path / "set").mkdir()
    coco(tmp_path / "set")
    sums, said = run("coco", archive(tmp_path / "set", kind, tmp_path / f"x.{kind}"))
    assert (sums["created"], sums["failed"]) == (2, 0), said
    assert all(name.endswith(("images/val2017/a.png", "images/val2017/b.png")) for name in tasks(desk))


def boxes(format_name, path):
    """A data set of three pictures, written by Datumaro."""
    from datumaro.components.annotation import Bbox
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image as Media
    items = [DatasetItem(id=f"p{n}", subset="train" if n else "val", media=Media.from_numpy(data=np.full((HEIGHT, WIDTH, 3), 40 * n + 1, np.uint8)),
                         annotations=[Bbox(1 + n, 2, 20, 30 - n, label=0, id=2 * n + 1, group=2 * n + 1),
                                      Bbox(30, 8, 16, 24, label=1, id=2 * n + 2, group=2 * n + 2)][:2 if n < 2 else 0])
             for n in range(3)]
    Dataset.from_iterable(items, categories=["cat", "dog"], media_type=Media).export(str(path), format_name, save_media=True)


@pytest.mark.parametrize("theirs, ours, within", [("coco_instances", "coco", 1e-3), ("yolo_ultralytics", "yolo", 1e-3), ("yolo", "yolo", 1e-3),
                                                  ("voc_detection", "voc", 1e-3), ("cvat", "cvat", 1e-2)])
def test_datumaro(desk, run, tmp_path, theirs, ours, within):
    boxes(theirs, tmp_path / "set")
    sums, said = run(ours, tmp_path / "set")
    assert (sums["created"], sums["failed"]) == (3, 0), said
    got = {name.rpartition("/")[2].partition(".")[0]: task[1] for name, task in tasks(desk).items()}
    assert set(got) == {"p0", "p1", "p2"}
    assert not got["p2"]
    for n in range(2):
        assert [item["value"]["rectanglelabels"] for item in got[f"p{n}"]] == [["cat"], ["dog"]]
        assert pixels(got[f"p{n}"][0]) == pytest.approx([1 + n, 2, 20, 30 - n], abs=within)
        assert pixels(got[f"p{n}"][1]) == pytest.approx([30, 8, 16, 24], abs=within)


def test_label_studio_changes_nothing(desk, run, tmp_path):
    """Out of one project, into another: the same canonical bytes of every result."""
    (tmp_path / "set").mkdir()
    coco(tmp_path / "set")
    run("coco", tmp_path / "set")
    first = tasks(desk)
    out = [{"id": task["id"], "project": desk.project, "data": task["data"], "annotations": [{"result": result}]} for task, result in first.values()]
    (tmp_path / "tasks.json").write_text(json.dumps(out, indent=1))
    other = Desk(desk.api, tasks=0, label_config=CONFIG)
    sums, said = run("label-studio", tmp_path / "tasks.json", project=other.project)
    assert (sums["created"], sums["failed"]) == (2, 0), said
    second = tasks(other)
    assert set(second) == {f"label-studio:{desk.project}:{task['id']}" for task, _ in first.values()}
    shas = {desk("manager").ok("GET", f"/v1/labels/{task['head_label']}")["sha256"] for task, _ in first.values()}
    assert shas == {other("manager").ok("GET", f"/v1/labels/{task['head_label']}")["sha256"] for task, _ in second.values()}
    assert run("label-studio", tmp_path / "tasks.json", project=other.project)[0]["created"] == 0


def spoil(path):
    name = path / "annotations/instances_val2017.json"
    text = json.loads(name.read_text())
    text["annotations"][1]["category_id"] = 77
    name.write_text(json.dumps(text))


def test_all_or_nothing(desk, run, tmp_path):
    (tmp_path / "set").mkdir()
    coco(tmp_path / "set")
    spoil(tmp_path / "set")
    sums, said = run("coco", tmp_path / "set", status=1)
    assert sums["created"] == 0 and "annotations/instances_val2017.json, annotation 2: category_id" in said
    assert not tasks(desk) and not desk("manager").ok("GET", f"{desk.path}/imports")["imports"]
    sums, said = run("coco", tmp_path / "set", "--errors", "skip", status=1)
    assert (sums["created"], sums["failed"]) == (1, 1)
    assert said.count("annotation 2: category_id") == 1
    assert set(tasks(desk)) == {"images/val2017/b.png"}


def test_an_unknown_label_and_its_map(desk, run, tmp_path):
    picture(tmp_path / "set/images/train/x.png", 1)
    (tmp_path / "set/labels/train").mkdir(parents=True)
    (tmp_path / "set/labels/train/x.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "set/data.yaml").write_text("names: ['hound']\n")
    _, said = run("yolo", tmp_path / "set", status=1)
    assert 'labels/train/x.txt, line 1: the label config has no <RectangleLabels> for images with the label "hound"' in said
    sums, said = run("yolo", tmp_path / "set", "--map", "hound=dog", "--as", "predictions", "--model", "v8")
    assert sums["created"] == 1, said
    task = tasks(desk)["images/train/x.png"][0]
    label = [v for v in desk("manager").ok("GET", f"/v1/tasks/{task['id']}/labels")["labels"] if v["kind"] == "prelabel"]
    assert [v["model"] for v in label] == ["v8"]
    assert pixels(desk.result(label[0]["id"])[0]) == pytest.approx([24, 12, 16, 24])


def test_a_split(desk, run, tmp_path):
    boxes("voc_detection", tmp_path / "set")
    assert run("voc", tmp_path / "set", "--split", "val")[0]["created"] == 1
    assert [task["meta"] for task, _ in tasks(desk).values()] == [{"split": "val"}]


@pytest.mark.parametrize("words", [("--format", "x"), ("--as", "x"), ("--errors", "stop")])
def test_wrong_words(desk, run, tmp_path, words):
    run("coco", tmp_path, *words, status=2)


def test_a_file_that_is_no_picture(desk, run, tmp_path):
    (tmp_path / "set").mkdir()
    coco(tmp_path / "set")
    (tmp_path / "set/images/val2017/a.png").write_text("not a picture")
    sums, said = run("coco", tmp_path / "set", status=1)
    assert sums["created"] == 0 and "a.png is no image" in said and not tasks(desk)
