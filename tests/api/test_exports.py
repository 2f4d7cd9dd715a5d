"""Exports in the formats of others, judged by others: pycocotools, Datumaro and Label Studio's own converter read what was drawn."""
import csv
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile

import numpy as np
import pytest
import requests
from PIL import Image
from xml.etree import ElementTree

from kit import Desk, problem
from stand import BIN, CRASH, ENVIRONMENT, Worker
from test_release import release

WIDTH, HEIGHT = 200, 100
CAR, SHEEP = 'car & <"truck">', "羊 🐑"
EVERYTHING = """<View><Image name="image" valueList="$pages"/>
<RectangleLabels name="box" toName="image"><Label value="car &amp; &lt;&quot;truck&quot;&gt;"/><Label value="羊 🐑"/></RectangleLabels>
<PolygonLabels name="polygon" toName="image"><Label value="羊 🐑"/></PolygonLabels>
<EllipseLabels name="ellipse" toName="image"><Label value="pond"/></EllipseLabels>
<BrushLabels name="brush" toName="image"><Label value="grass"/></BrushLabels>
<KeyPointLabels name="point" toName="image"><Label value="head"/><Label value="tail"/></KeyPointLabels>
<Choices name="colour" toName="image" perRegion="true"><Choice value="red"/><Choice value="blue"/></Choices>
<Choices name="scene" toName="image"><Choice value="day"/><Choice value="night"/></Choices></View>"""


def item(region, control, kind, value, page=0, **more):
    return {"id": region, "from_name": control, "to_name": "image", "type": kind, "original_width": WIDTH, "original_height": HEIGHT,
            "image_rotation": 0, "item_index": page, "value": value, **more}


def upright(region, label, x, y, width, height, page=0, rotation=0):
    """In pixels."""
    return item(region, "box", "rectanglelabels", {"x": x * 100 / WIDTH, "y": y * 100 / HEIGHT, "width": width * 100 / WIDTH,
                "height": height * 100 / HEIGHT, "rotation": rotation, "rectanglelabels": [label]}, page)


def dots(region, x, y, label, parent=None):
    more = {"parentID": parent} if parent else {}
    return item(region, "point", "keypointlabels", {"x": x * 100 / WIDTH, "y": y * 100 / HEIGHT, "width": 1, "keypointlabels": [label]}, **more)


GRASS = np.zeros((HEIGHT, WIDTH), np.uint8)
GRASS[70:90, 10:60] = 255
GRASS[75:80, 20:30] = 0  # a hole
GRASS[95:98, 150:155] = 255  # a second part
TRIANGLE = [(120, 20), (180, 20), (150, 60)]


def everything():
    from label_studio_sdk.converter import brush  # here: it takes seconds to load
    return [
        upright("b1", CAR, 20, 20, 60, 40),
        item("b1", "colour", "choices", {"choices": ["red"]}),
        upright("b2", SHEEP, 100, 50, 40, 10, rotation=90),
        item("p1", "polygon", "polygonlabels", {"points": [[x * 100 / WIDTH, y * 100 / HEIGHT] for x, y in TRIANGLE], "closed": True,
                                                "polygonlabels": [SHEEP]}),
        item("e1", "ellipse", "ellipselabels", {"x": 80, "y": 80, "radiusX": 10, "radiusY": 10, "rotation": 0, "ellipselabels": ["pond"]}),
        item("m1", "brush", "brushlabels", {"format": "rle", "rle": [int(n) for n in brush.mask2rle(GRASS)], "brushlabels": ["grass"]}),
        dots("k1", 30, 30, "head", "b1"),
        dots("k2", 70, 50, "tail"),
        dots("k3", 199, 1, "tail"),
        item("s1", "scene", "choices", {"choices": ["night"]}),
    ]


def picture(seed):
    """A PNG of its own."""
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def builder(server):
    worker = Worker("export", server, poll_ms=20)
    yield worker
    worker.stop()


class Shop:
    """A released project: results are what each task's label says; its pictures are stored."""

    def __init__(self, api, config, documents, pages, field):
        self.desk, self.pictures = Desk(api, tasks=0, label_config=config, workflow={"review": {"mode": "none"}}), {}
        tasks, seed = [], 0
        for number in pages:
            urls = []
            for _ in range(number):
                seed += 1
                made = self.desk("annotator").ok("POST", "/v1/assets", 201, data=picture(seed))
                urls.append(made["url"])
                self.pictures[made["url"]] = picture(seed)
            tasks.append({field: urls if field == "pages" else urls[0]})
        first = api.tasks(self.desk.project, tasks)["first_id"]
        self.tasks = [first + i for i in range(len(tasks))]
        for work in self.desk.claims("annotator", count=len(tasks)):
            self.desk.submit("annotator", work, documents[work["task"]["id"] - first])
        self.release = release(self.desk, "shop", split={"train": 1})
        assert self.release["items"] == len(tasks)

    def export(self, kind, **parameters):
        words = "".join(f"&{key}={value}" for key, value in parameters.items())
        answer = self.desk("manager").get(f"/v1/releases/{self.release['id']}/export?format={kind}{words}")
        assert answer.status_code == 200, answer.text
        return answer.content

    def unpack(self, kind, where, **parameters):
        """The directory of a zip with media, and its EXPORT.json."""
        with zipfile.ZipFile(io.BytesIO(self.export(kind, media="true", **parameters))) as archive:
            assert archive.testzip() is None
            archive.extractall(where)
        return where, json.loads((where / "EXPORT.json").read_text())

    def name(self, task, page=0):
        return f"{self.tasks[task]:010d}" + (f"_{page + 1}" if page else "")


@pytest.fixture(scope="module")
def shop(api, builder):
    """A task with every shape, an empty one, and one of two pages with a box on the second."""
    return Shop(api, EVERYTHING, [everything(), [], [upright("b3", SHEEP, 150, 10, 50, 50, page=1)]], [1, 1, 2], "pages")


PLAIN = """<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="a"/><Label value="b"/></RectangleLabels>
<PolygonLabels name="polygon" toName="image"><Label value="c"/></PolygonLabels></View>"""


@pytest.fixture(scope="module")
def plain(api, builder):
    """What Label Studio's converter gets right: upright boxes, polygons."""
    def document(n):
        return [upright("b1", "ab"[n % 2], 10 + n, 20, 33, 44), upright("b2", "a", 100, 3 * n, 7, 9),
                item("p1", "polygon", "polygonlabels", {"points": [[60, 10 + n], [90, 10], [75, 60 + n]], "closed": True, "polygonlabels": ["c"]})]
    documents = [[{k: v for k, v in part.items() if k != "item_index"} for part in document(n)] for n in range(4)]
    return Shop(api, PLAIN, documents, [1] * 4, "image")


# ---- COCO

@pytest.fixture
def coco(shop, tmp_path):
    return shop.unpack("coco", tmp_path)


def test_coco_is_read_by_pycocotools(shop, coco):
    from pycocotools.coco import COCO
    where, report = coco
    read = COCO(str(where / "annotations/instances_train.json"))
    names = {c["id"]: c["name"] for c in read.loadCats(read.getCatIds())}
    assert list(names.values()) == [CAR, SHEEP, "pond", "grass"] and list(names) == [1, 2, 3, 4]
    images = {image["file_name"]: image for image in read.imgs.values()}
    assert set(images) == {f"{shop.name(*at)}.png" for at in ((0,), (1,), (2,), (2, 1))}
    for name, image in images.items():
        assert (image["width"], image["height"]) == (WIDTH, HEIGHT)
        assert (where / "images/train" / name).read_bytes() == shop.pictures[image["coco_url"]]
    drawn = read.loadAnns(read.getAnnIds(imgIds=[images[f"{shop.name(0)}.png"]["id"]]))
    car, sheep, triangle, pond, grass = drawn
    assert [names[a["category_id"]] for a in drawn] == [CAR, SHEEP, SHEEP, "pond", "grass"]
    assert car["bbox"] == [20, 20, 60, 40] and car["area"] == 2400 and car["attributes"] == {"colour": "red"}
    assert car["keypoints"] == [30, 30, 2, 70, 50, 2] and car["num_keypoints"] == 2
    assert sheep["bbox"] == [90, 50, 10, 40] and sheep["segmentation"] == [[100, 50, 100, 90, 90, 90, 90, 50]] and sheep["area"] == 400
    assert triangle["segmentation"] == [[n for point in TRIANGLE for n in point]] and triangle["area"] == 1200
    assert pond["bbox"] == [140, 70, 40, 20] and abs(pond["area"] - np.pi * 20 * 10) < 5
    assert (read.annToMask(grass) == GRASS // 255).all()
    assert grass["area"] == np.count_nonzero(GRASS) and grass["bbox"] == [10, 70, 145, 28]
    assert [a["bbox"] for a in read.loadAnns(read.getAnnIds(imgIds=[images[f"{shop.name(2, 1)}.png"]["id"]]))] == [[150, 10, 50, 50]]
    assert report["lost"] == {"answers.choices": 1, "ellipse.as_polygon": 1, "regions.keypointlabels": 1}


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_coco_against_itself_is_perfect(coco, kind):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    path = coco[0] / "annotations/instances_train.json"
    truth = json.loads(path.read_text())
    if kind == "segm":  # an upright box has no outline of its own
        truth["annotations"] = [a for a in truth["annotations"] if a["segmentation"]]
        path.write_text(json.dumps(truth))
    read = COCO(str(path))
    found = [{"image_id": a["image_id"], "category_id": a["category_id"], "score": 1.0, **({"bbox": a["bbox"]} if kind == "bbox" else
             {"segmentation": read.annToRLE(a)})} for a in truth["annotations"]]
    judge = COCOeval(read, read.loadRes(found), kind)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == 1.0


# ---- Datumaro

def datumaro(where, kind, **more):
    from datumaro.components.dataset import Dataset
    data = Dataset.import_from(str(where), kind, **more)
    return {item.id.rsplit("/", 1)[-1]: item for item in data}, data.categories()


def label_of(annotation, categories):
    from datumaro.components.annotation import AnnotationType
    return categories[AnnotationType.label].items[annotation.label].name


def drawn(item, categories, kind):
    """What Datumaro has of a kind: (label, numbers)."""
    return [(label_of(a, categories), a) for a in item.annotations if a.type.name == kind]


def near(numbers, wanted, by=0.01):
    return len(numbers) == len(wanted) and np.allclose(numbers, wanted, atol=by)


def test_datumaro_reads_coco(shop, coco):
    items, categories = datumaro(coco[0], "coco_instances")
    assert set(items) == {shop.name(0), shop.name(1), shop.name(2), shop.name(2, 1)}
    assert items[shop.name(1)].annotations == []
    car, = [box for label, box in drawn(items[shop.name(0)], categories, "bbox") if label == CAR]
    assert near(car.get_bbox(), [20, 20, 60, 40])
    polygons = sorted(drawn(items[shop.name(0)], categories, "polygon"), key=lambda pair: pair[1].id)
    assert [label for label, _ in polygons] == [SHEEP, SHEEP, "pond"]
    assert near(polygons[1][1].points, [n for point in TRIANGLE for n in point])
    (label, mask), = drawn(items[shop.name(0)], categories, "mask")
    assert label == "grass" and (mask.image == GRASS // 255).all()


def test_datumaro_reads_yolo(shop, tmp_path):
    where, report = shop.unpack("yolo", tmp_path)
    items, categories = datumaro(where, "yolo")
    boxes = drawn(items[shop.name(0)], categories, "bbox")
    assert [label for label, _ in boxes] == [CAR, SHEEP, SHEEP, "pond", "grass"]
    wanted = [[20, 20, 60, 40], [90, 50, 10, 40], [120, 20, 60, 40], [140, 70, 40, 20], [10, 70, 145, 28]]
    assert all(near(box.get_bbox(), want) for (_, box), want in zip(boxes, wanted))
    assert items[shop.name(1)].annotations == [] and items[shop.name(2)].annotations == []
    assert [box.get_bbox() for _, box in drawn(items[shop.name(2, 1)], categories, "bbox")] == [[150, 10, 50, 50]]
    assert report["lost"] == {"answers.choices": 2, "as_box.brushlabels": 1, "as_box.ellipselabels": 1, "as_box.polygonlabels": 1,
                              "as_box.rectanglelabels": 1, "regions.keypointlabels": 3}


def test_datumaro_reads_voc(shop, tmp_path):
    where, report = shop.unpack("voc", tmp_path)
    items, categories = datumaro(where, "voc_detection")
    boxes = [(label, box.get_bbox()) for label, box in drawn(items[shop.name(0)], categories, "bbox")]
    assert boxes == [(CAR, [20, 20, 60, 40]), (SHEEP, [90, 50, 10, 40]), (SHEEP, [120, 20, 60, 40]), ("pond", [140, 70, 40, 20]),
                     ("grass", [10, 70, 145, 28])]
    assert (where / "ImageSets/Main/train.txt").read_text().split() == [shop.name(0), shop.name(1), shop.name(2), shop.name(2, 1)]
    assert (where / f"JPEGImages/{shop.name(0)}.png").read_bytes() in shop.pictures.values()
    assert report["lost"]["regions.keypointlabels"] == 3 and report["lost"]["as_box.rectanglelabels"] == 1


def test_datumaro_reads_cvat(shop, tmp_path):
    where, report = shop.unpack("cvat", tmp_path)
    items, categories = datumaro(where, "cvat")
    (label, car), = drawn(items[shop.name(0)], categories, "bbox")
    assert label == CAR and near(car.get_bbox(), [20, 20, 60, 40]) and car.attributes["colour"] == "red"
    (label, turned), = drawn(items[shop.name(0)], categories, "rotated_bbox")
    assert label == SHEEP and near([turned.cx, turned.cy, turned.w, turned.h, turned.r], [95, 70, 40, 10, 90])
    (label, triangle), = drawn(items[shop.name(0)], categories, "polygon")
    assert label == SHEEP and near(triangle.points, [n for point in TRIANGLE for n in point])
    (label, mask), = drawn(items[shop.name(0)], categories, "mask")
    assert label == "grass" and (np.asarray(mask.image) == GRASS // 255).all()
    points = drawn(items[shop.name(0)], categories, "points")
    assert [(label, list(p.points)) for label, p in points] == [("head", [30, 30]), ("tail", [70, 50]), ("tail", [199, 1])]
    assert [label for label, _ in drawn(items[shop.name(0)], categories, "label")] == ["night"]
    assert report["lost"] == {}
    document = ElementTree.parse(where / "annotations.xml")  # ellipses are not read by this version of the judge
    ellipse, = document.iter("ellipse")
    assert [float(ellipse.get(k)) for k in ("cx", "cy", "rx", "ry")] == [160, 80, 20, 10] and ellipse.get("label") == "pond"


# ---- the other kinds of YOLO, by their own rules

def lines(where, name):
    return [(int(one.split()[0]), [float(n) for n in one.split()[1:]]) for one in (where / "labels/train" / f"{name}.txt").read_text().splitlines()]


def scaled(points):
    return [n for x, y in points for n in (x / WIDTH, y / HEIGHT)]


def test_yolo_polygons(shop, tmp_path):
    where, report = shop.unpack("yolo-segment", tmp_path)
    found = lines(where, shop.name(0))
    assert [number for number, _ in found] == [0, 1, 1, 2, 3, 3]
    assert near(found[0][1], scaled([(20, 20), (80, 20), (80, 60), (20, 60)]), 1e-6)
    assert near(found[1][1], scaled([(100, 50), (100, 90), (90, 90), (90, 50)]), 1e-6) and near(found[2][1], scaled(TRIANGLE), 1e-6)
    parts = [[(round(x * WIDTH), round(y * HEIGHT)) for x, y in zip(v[::2], v[1::2])] for number, v in found if number == 3]
    assert [sorted(set(part)) for part in parts] == [[(10, 70), (10, 90), (60, 70), (60, 90)], [(150, 95), (150, 98), (155, 95), (155, 98)]]
    assert report["lost"]["holes"] == 1 and report["lost"]["parts"] == 1 and report["lost"]["as_polygon.ellipselabels"] == 1


def test_yolo_turned_boxes(shop, tmp_path):
    found = lines(shop.unpack("yolo-obb", tmp_path)[0], shop.name(0))
    assert near(found[1][1], scaled([(100, 50), (100, 90), (90, 90), (90, 50)]), 1e-6)
    assert near(found[4][1], scaled([(10, 70), (155, 70), (155, 98), (10, 98)]), 1e-6)


def test_yolo_poses(shop, tmp_path):
    where, report = shop.unpack("yolo-pose", tmp_path)
    found = lines(where, shop.name(0))
    assert found[0] == (0, [0.25, 0.4, 0.3, 0.4, 0.15, 0.3, 2, 0.35, 0.5, 2])
    assert found[1][1][4:] == [0] * 6 and report["lost"]["regions.keypointlabels"] == 1
    import yaml
    names = yaml.safe_load((where / "data.yaml").read_text())
    assert names["kpt_shape"] == [2, 3] and names["names"] == {0: CAR, 1: SHEEP, 2: "pond", 3: "grass"} and names["train"] == "images/train"


# ---- Label Studio's converter

@pytest.fixture
def converter(plain, tmp_path):
    from label_studio_sdk import converter
    path = tmp_path / "export.json"
    path.write_bytes(plain.export("label-studio"))
    (tmp_path / "theirs").mkdir()
    return converter.Converter(config=PLAIN, project_dir=str(tmp_path), download_resources=False), path, tmp_path / "theirs"


def test_coco_as_label_studio_has_it(plain, converter, tmp_path):
    theirs, path, where = converter
    theirs.convert_to_coco(str(path), str(where), output_image_dir=str(where / "images"), is_dir=False)
    theirs = json.loads((where / "result.json").read_text())
    ours = json.loads((plain.unpack("coco", tmp_path / "ours")[0] / "annotations/instances_train.json").read_text())

    def told(document):
        names = {c["id"]: c["name"] for c in document["categories"]}
        order = {image["id"]: n for n, image in enumerate(document["images"])}
        return [(order[a["image_id"]], names[a["category_id"]], np.round(a["bbox"], 3).tolist(), round(a["area"], 2),
                 np.round(a["segmentation"], 3).tolist()) for a in document["annotations"]]
    assert len(told(ours)) == 12 and sorted(told(ours)) == sorted(told(theirs))


def test_yolo_as_label_studio_has_it(plain, converter, tmp_path):
    theirs, path, where = converter
    theirs.convert_to_yolo(str(path), str(where), output_image_dir=str(where / "images"), output_label_dir=str(where / "labels"), is_dir=False)
    ours = plain.unpack("yolo", tmp_path / "ours")[0]
    classes = (where / "classes.txt").read_text().split()
    import yaml
    names = yaml.safe_load((ours / "data.yaml").read_text())["names"]
    read = {}
    for who, folder, known in (("theirs", where / "labels", classes), ("ours", ours / "labels/train", names)):
        files = sorted(folder.glob("*.txt"))
        read[who] = sorted(sorted((known[int(line.split()[0])], *(round(float(n), 4) for n in line.split()[1:]))
                                  for line in file.read_text().splitlines() if known[int(line.split()[0])] != "c") for file in files)
    assert len(read["ours"]) == 4 and read["ours"] == read["theirs"]


# ---- rows

def test_rows_as_label_studio_has_them(shop, tmp_path):
    from label_studio_sdk import converter
    path = tmp_path / "export.json"
    path.write_bytes(shop.export("label-studio"))
    theirs = converter.Converter(config=EVERYTHING, project_dir=str(tmp_path), download_resources=False)
    theirs.convert_to_json_min(str(path), str(tmp_path / "min"), is_dir=False)
    rows = json.loads(shop.export("label-studio-min"))
    assert rows == json.loads((tmp_path / "min/result.json").read_text())
    assert [row["id"] for row in rows] == shop.tasks and rows[0]["scene"] == "night" and len(rows[0]["box"]) == 2


def test_csv(shop):
    rows = list(csv.DictReader(io.StringIO(shop.export("csv").decode(), newline="")))
    short = json.loads(shop.export("label-studio-min"))
    assert len(rows) == 3 and list(rows[0]) == ["id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "box", "polygon",
                                                "ellipse", "brush", "point", "colour", "scene", "pages", "_data"]
    for row, known in zip(rows, short):
        for name, cell in row.items():
            value = known.get(name)
            assert cell == ("" if value is None else value if isinstance(value, str) else cell) and (
                not isinstance(value, (list, dict, int, float)) or json.loads(cell) == value), name


TEXTS = """<View><Text name="text" value="$text"/><Labels name="span" toName="text"><Label value="PER"/><Label value="LOC"/></Labels>
<TextArea name="note" toName="text"/></View>"""


@pytest.fixture(scope="module")
def prose(api, builder):
    """Texts with spans, one of them a formula."""
    texts = ["Ann Lee was in Rome", "=SUM(A1), \"x\"\nnext line", "😀 Zoë saw Bern"]
    spans = [[(0, 7, "PER"), (15, 19, "LOC")], [], [(2, 5, "PER"), (10, 14, "LOC")]]
    desk = Desk(api, tasks=0, label_config=TEXTS, workflow={"review": {"mode": "none"}})
    first = api.tasks(desk.project, [{"text": text} for text in texts])["first_id"]
    for work in desk.claims("annotator", count=3):
        n = work["task"]["id"] - first
        desk.submit("annotator", work, [{"id": f"s{k}", "from_name": "span", "to_name": "text", "type": "labels", "value": {
            "start": start, "end": end, "text": texts[n][start:end], "labels": [label]}} for k, (start, end, label) in enumerate(spans[n])]
            + ([{"id": "n", "from_name": "note", "to_name": "text", "type": "textarea", "value": {"text": ["-1 + 2"]}}] if n == 1 else []))
    built = release(desk, "prose")

    def export(kind):
        answer = desk("manager").get(f"/v1/releases/{built['id']}/export?format={kind}")
        assert answer.status_code == 200, answer.text
        return answer.content
    return texts, export


def test_words(prose, tmp_path):
    texts, export = prose
    assert export("conll").decode().split("-DOCSTART- -X- _ O\n\n")[1:] == [
        "Ann -X- _ B-PER\nLee -X- _ I-PER\nwas -X- _ O\nin -X- _ O\nRome -X- _ B-LOC\n\n",
        '= -X- _ O\nSUM -X- _ O\n( -X- _ O\nA1 -X- _ O\n) -X- _ O\n, -X- _ O\n" -X- _ O\nx -X- _ O\n" -X- _ O\n\n'
        "next -X- _ O\nline -X- _ O\n\n",
        "😀 -X- _ O\nZoë -X- _ B-PER\nsaw -X- _ O\nBern -X- _ B-LOC\n\n"]


def test_words_as_label_studio_has_them(prose):
    """The tags of its converter, where its words are ours."""
    from label_studio_sdk.converter.utils import create_tokens_and_tags
    texts, export = prose
    for text, task, document in zip(texts, json.loads(export("label-studio")), export("conll").decode().split("-DOCSTART- -X- _ O\n\n")[1:]):
        spans = [part["value"] for part in task["annotations"][0]["result"] if part["type"] == "labels"]
        ours = [(line.split()[0], line.split()[-1]) for line in document.splitlines() if line]
        if spans:
            assert ours == list(zip(*create_tokens_and_tags(text, spans)))


def test_a_formula_is_text(prose):
    texts, export = prose
    rows = list(csv.DictReader(io.StringIO(export("csv").decode(), newline="")))
    assert [row["text"] for row in rows] == [texts[0], "'" + texts[1], texts[2]] and [row["note"] for row in rows] == ["", "'-1 + 2", ""]
    assert export("csv").count(b"\r\n") == 4


# ---- by the command line

@pytest.fixture(scope="module")
def command(server, shop, tmp_path_factory):
    token = tmp_path_factory.mktemp("token") / "token"
    token.touch(0o600)
    token.write_text(shop.desk("manager").headers["Authorization"].partition(" ")[2])

    def run(*words):
        done = subprocess.run([BIN / "annotate", "export", "--server", server.url, "--token-file", token, "--release", str(shop.release["id"]),
                               *map(str, words)], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
        assert not CRASH.search(done.stderr), done.stderr
        return done
    return run


@pytest.mark.parametrize("container", ["tar", "tar.zst", "zip"])
@pytest.mark.parametrize("share", [0, 1, 0.5, 0.999, 1.0])
def test_what_was_cut_off_is_gone_on_with(shop, command, tmp_path, container, share):
    """share: of the bytes that came before; 1 is one byte, 1.0 all of them."""
    whole = shop.export("coco", container=container, media="true")
    part, out = tmp_path / f"x.{container}.part", tmp_path / f"x.{container}"
    if share:
        part.write_bytes(whole[:1 if share == 1 and isinstance(share, int) else int(len(whole) * share)])
    done = command("--format", "coco", "--media", "--out", out)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == whole and not part.exists()


def test_the_beginning_of_something_else_is_thrown_away(shop, command, tmp_path):
    whole, out = shop.export("jsonl"), tmp_path / "x.jsonl"
    for wrong in (b"something else", whole[:200] + b"?", whole + b"and more"):
        (tmp_path / "x.jsonl.part").write_bytes(wrong)
        assert command("--format", "jsonl", "--out", out).returncode == 0
        assert out.read_bytes() == whole
        out.unlink()


def test_the_rest_of_an_export(shop):
    whole = shop.export("jsonl")
    for n in (1, 100, len(whole) - 1, len(whole)):
        digest = hashlib.sha256(whole[:n]).hexdigest()
        assert shop.export("jsonl", skip=n, sha256=digest) == whole[n:]
    manager, path = shop.desk("manager"), f"/v1/releases/{shop.release['id']}/export?format=jsonl"
    problem(manager.get(f"{path}&skip=5&sha256={'0' * 64}"), 409, pointer="/skip")
    problem(manager.get(f"{path}&skip={len(whole) + 1}&sha256={hashlib.sha256(whole).hexdigest()}"), 409, pointer="/skip")
    problem(manager.get(f"{path}&skip=5"), 422, pointer="/sha256")
    problem(manager.get(f"{path}&skip=-5"), 422, pointer="/skip")


def test_a_directory(shop, command, tmp_path):
    where = tmp_path / "there"
    done = command("--format", "voc", "--media", "--dir", where)
    assert done.returncode == 0, done.stderr
    theirs = {str(path.relative_to(where)): path.read_bytes() for path in where.rglob("*") if path.is_file()}
    with tarfile.open(fileobj=io.BytesIO(shop.export("voc", container="tar", media="true"))) as archive:
        assert theirs == {member.name: archive.extractfile(member).read() for member in archive}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]
    assert command("--format", "voc", "--dir", where).returncode == 1  # it is there already
    assert command("--format", "voc", "--dir", where, "--out", "x").returncode == 2


# ---- the same bytes; the report

FLAT = {"jsonl", "label-studio", "label-studio-min", "csv"}
TREES = {"coco", "yolo", "yolo-segment", "yolo-obb", "yolo-pose", "voc", "cvat", "imagefolder", "masks"}
FORMATS = sorted(FLAT | TREES)


def test_every_format_is_told_of(server):
    """Where people look: the API's description and the command line's help."""
    spec = requests.get(server.url + "/openapi.json", timeout=10).json()
    parameters = {p["name"]: p for p in spec["paths"]["/v1/releases/{id}/export"]["get"]["parameters"]}
    told = set(parameters["format"]["schema"]["enum"])
    assert told == set(FORMATS) | {"conll", "asr", "rttm", "yolo-classify", "webdataset", "cvat-video"}
    words = subprocess.run([BIN / "annotate", "export", "--help"], capture_output=True, text=True, check=True).stdout
    assert told <= set(words.replace(",", " ").split())


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("container", ["file", "tar", "tar.zst", "zip"])
def test_the_same_bytes(shop, kind, container):
    if container == "file" and kind in TREES:
        answer = shop.desk("manager").get(f"/v1/releases/{shop.release['id']}/export?format={kind}&container=file")
        assert answer.status_code == 422 and answer.json()["pointer"] == "/container"
        return
    one, two = (shop.export(kind, container=container, media=str(container != "file").lower()) for _ in range(2))
    assert one == two and len(one) > 500


@pytest.mark.parametrize("kind", FORMATS)
def test_the_report_adds_up(shop, kind):
    with tarfile.open(fileobj=io.BytesIO(shop.export(kind, container="tar", media="true"))) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}
    report = json.loads(files["EXPORT.json"])
    assert list(files)[-1] == "EXPORT.json" and report["files"] == len(files)
    assert (report["format"], report["container"], report["items"], report["labels"], report["splits"]) == (kind, "tar", 3, 3, {"train": 3})
    assert (report["release"], report["root"], report["name"]) == (shop.release["id"], shop.release["root"], "shop")
    media = [data for name, data in files.items() if data[:4] == b"\x89PNG" and not name.startswith("Segmentation")]
    assert report["media"] == (4 if kind in TREES else 0) == len(media) and set(media) <= set(shop.pictures.values())
    assert report["missing"] == 0 and all(count > 0 for count in report["lost"].values())


def test_without_what_is_empty(shop):
    with zipfile.ZipFile(io.BytesIO(shop.export("coco", labelled="true"))) as archive:
        report = json.loads(archive.read("EXPORT.json"))
    assert report["items"] == report["labels"] == 2
