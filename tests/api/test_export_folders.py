"""Pictures in folders: YOLO's classes by its own rules, ImageFolder as Hugging Face's datasets reads it."""
import io
import json

import numpy as np
import pytest
from PIL import Image

from export_env import Shelf, builder  # noqa: F401
from kit import problem

WIDTH, HEIGHT = 64, 48
CONFIG = """<View><Image name="image" valueList="$pages"/>
<Choices name="kind" toName="image" choice="single" perItem="true"><Choice value="cat"/><Choice value="羊 🐑"/><Choice value="a/b"/></Choices>
<Choices name="image_" toName="image" choice="multiple"><Choice value="dark"/><Choice value="blurred"/></Choices>
<TextArea name="objects" toName="image"/><Rating name="stars" toName="image"/>
<RectangleLabels name="box" toName="image"><Label value="car"/><Label value="羊"/></RectangleLabels>
<PolygonLabels name="polygon" toName="image"><Label value="羊"/></PolygonLabels></View>"""


def picture(seed):
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


def said(region, control, kind, value, page=0):
    return {"id": region, "from_name": control, "to_name": "image", "type": kind, "item_index": page, "value": value}


def kind(name, page=0):
    return said(f"k{page}", "kind", "choices", {"choices": [name]}, page)


def box(region, label, x, y, width, height):
    return {**said(region, "box", "rectanglelabels", {"x": x * 100 / WIDTH, "y": y * 100 / HEIGHT, "width": width * 100 / WIDTH,
            "height": height * 100 / HEIGHT, "rotation": 0, "rectanglelabels": [label]}), "original_width": WIDTH, "original_height": HEIGHT}


ROWS = [
    ([picture(1)], [kind("cat"), said("i", "image_", "choices", {"choices": ["dark", "blurred"]}),
                    said("t", "objects", "textarea", {"text": ["a cat", "on a mat"]}), said("s", "stars", "rating", {"rating": 4}),
                    box("b1", "羊", 16, 12, 32, 24), box("b2", "car", 0, 0, 8, 8)]),
    ([picture(2), picture(3)], [kind("羊 🐑", 1)]),
    ([picture(4)], [kind("a/b"), {**said("p", "polygon", "polygonlabels", {"points": [[0, 0], [50, 0], [25, 50]], "closed": True,
                    "polygonlabels": ["羊"]}), "original_width": WIDTH, "original_height": HEIGHT}]),
    (["https://example.org/far.png"], [kind("cat")]),
    ([picture(5)], [kind("cat")]),
    ([picture(6)], [kind("cat")]),
]


@pytest.fixture(scope="module")
def shelf(api, builder):  # noqa: F811
    return Shelf(api, CONFIG, "pages", ROWS, splits=("train", "val-1"))


@pytest.fixture(scope="module")
def whole(api, builder):  # noqa: F811
    """Not split, beginning with what says the least."""
    return Shelf(api, CONFIG, "pages", ROWS[::-1])


def splits(shelf):
    return {task: ("train", "val-1")[n % 2] for n, task in enumerate(shelf.tasks)}


def test_a_folder_for_each_class(shelf, tmp_path):
    where, report = shelf.unpack("yolo-classify", tmp_path)
    names = json.loads((where / "classes.json").read_text())
    assert set(names.values()) == {"cat", "羊 🐑", "a/b"} and names["cat"] == "cat"
    folder = {name: folder for folder, name in names.items()}
    split = splits(shelf)
    wanted = {(0, 0): "cat", (1, 1): "羊 🐑", (2, 0): "a/b", (4, 0): "cat", (5, 0): "cat"}
    paths = {f"{split[shelf.tasks[task]]}/{folder[name]}/{shelf.name(task, page)}.png": (task, page) for (task, page), name in wanted.items()}
    assert {str(path.relative_to(where)) for path in where.rglob("*.png")} == set(paths)
    for path, (task, page) in paths.items():
        assert (where / path).read_bytes() == ROWS[task][0][page]
    assert report["lost"] == {"answers.choices": 1, "answers.rating": 1, "answers.textarea": 1, "names": 2, "pictures.elsewhere": 1,
                              "pictures.unlabelled": 1, "regions.polygonlabels": 1, "regions.rectanglelabels": 2}
    assert report["media"] == 5


def test_classes_need_pictures_and_choices(shelf, api, builder):  # noqa: F811
    bare = {"format": "yolo-classify", "container": "zip"}
    problem(shelf.answer("yolo-classify", container="zip"), 422, pointer="/media")
    problem(shelf.desk("manager").post(f"/v1/releases/{shelf.release['id']}/exports", json=bare), 422, pointer="/media")
    plain = Shelf(api, '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>', "t", [("a text", [])])
    assert "Choices" in problem(plain.answer("yolo-classify", container="zip", media="true"), 422, pointer="/format")["detail"]


def read_tables(where, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets
    return datasets.load_dataset(str(where), cache_dir=str(tmp_path / "cache"))


def test_datasets_reads_an_image_folder(whole, tmp_path, monkeypatch):
    where, report = whole.unpack("imagefolder", tmp_path / "data")
    table = read_tables(where, tmp_path, monkeypatch)["train"]
    assert len(table) == 6 and whole.tasks[2] not in table["task"]
    rows = {(row["task"], row["kind"]): row for row in table}
    row = rows[whole.tasks[5], "cat"]
    assert (np.asarray(row["image"]) == np.asarray(Image.open(io.BytesIO(ROWS[0][0][0])))).all()
    assert (row["width"], row["height"], row["image_"], row["objects_"], row["stars"]) == (
        WIDTH, HEIGHT, ["dark", "blurred"], "a cat\non a mat", 4)
    assert row["objects"] == {"bbox": [[16, 12, 32, 24], [0, 0, 8, 8]], "categories": [1, 0], "names": ["羊", "car"]}
    empty, sheep = rows[whole.tasks[4], ""], rows[whole.tasks[4], "羊 🐑"]
    assert (np.asarray(sheep["image"]) == np.asarray(Image.open(io.BytesIO(ROWS[1][0][1])))).all()
    assert empty["objects"]["bbox"] == [] and empty["stars"] is None and empty["image_"] == []
    other = rows[whole.tasks[3], "a/b"]
    assert other["objects"] == {"bbox": [[0, 0, 32, 24]], "categories": [1], "names": ["羊"]}
    assert report["lost"] == {"answers.choices": 1, "as_box.polygonlabels": 1, "pictures.elsewhere": 1}  # said of the one elsewhere
    assert report["media"] == 6


def test_datasets_reads_splits(api, builder, tmp_path, monkeypatch):  # noqa: F811
    shelf = Shelf(api, CONFIG, "pages", [([picture(n)], [kind("cat"), box("b", "car", 0, 0, n, n)]) for n in range(1, 5)],
                  splits=("train", "val-1"))
    where, report = shelf.unpack("imagefolder", tmp_path / "data")
    read, split = read_tables(where, tmp_path, monkeypatch), splits(shelf)
    assert set(read) == {"train", "val_1"} and report["lost"] == {}
    for name, table in read.items():
        assert set(table["task"]) == {task for task, said in split.items() if said.replace("-", "_") == name}
        for row in table:
            n = shelf.tasks.index(row["task"]) + 1
            assert (np.asarray(row["image"]) == np.asarray(Image.open(io.BytesIO(picture(n))))).all()
            assert row["objects"]["bbox"] == [[0, 0, n, n]]


def test_a_split_that_says_nothing_of_a_column_is_told(shelf, tmp_path):
    """Its readers would find two types: who has marks and stars is in train alone."""
    where, report = shelf.unpack("imagefolder", tmp_path)
    assert report["lost"].pop("columns.empty") == 3


def test_every_line_has_the_same_members(shelf):
    import tarfile
    with tarfile.open(fileobj=io.BytesIO(shelf.export("imagefolder", container="tar"))) as archive:
        lines = [json.loads(line) for member in archive if member.name.endswith("metadata.jsonl")
                 for line in archive.extractfile(member).read().decode().splitlines()]
    assert len(lines) == 7 and {tuple(line) for line in lines} == {
        ("file_name", "task", "external_id", "width", "height", "kind", "image_", "objects_", "stars", "objects")}
