"""Masks out: read by Datumaro as VOC's segmentation, and held against pycocotools' own rasters of the COCO export."""
import io
import json

import numpy as np
import pytest
from PIL import Image

from export_env import Shelf, builder  # noqa: F401
from test_exports import EVERYTHING, GRASS, HEIGHT, SHEEP, CAR, WIDTH, datumaro, everything, item, label_of, picture, upright

NAMES = ["background", CAR, SHEEP, "pond", "grass"]


@pytest.fixture(scope="module")
def shelf(api, builder):  # noqa: F811
    """A task with every shape, an empty one, one of two pages, one whose regions lie over each other."""
    over = [upright("a", CAR, 10, 10, 40, 40), upright("b", SHEEP, 30, 30, 40, 40), upright("c", CAR, 150, 50, 20, 20),
            upright("d", SHEEP, 150, 50, 20, 20)]
    rows = [([picture(11)], everything()), ([picture(12)], []), ([picture(13), picture(14)], [upright("b3", SHEEP, 150, 10, 50, 50, page=1)]),
            ([picture(15)], over)]
    return Shelf(api, EVERYTHING, "pages", rows)


@pytest.fixture(scope="module")
def masks(shelf, tmp_path_factory):
    return shelf.unpack("masks", tmp_path_factory.mktemp("masks"))


def plane(where, kind, name):
    """Numbers, as who looks at the palette's indices has them."""
    image = Image.open(where / f"Segmentation{kind}/{name}.png")
    assert image.mode == "P" and image.size == (WIDTH, HEIGHT)
    return np.asarray(image)


def square(*places):
    out = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, x, y, width, height in places:
        out[y:y + height, x:x + width] = number
    return out


def test_boxes_cover_their_pixels(shelf, masks):
    where, report = masks
    assert (plane(where, "Class", shelf.name(2, 1)) == square((2, 150, 10, 50, 50))).all()
    assert (plane(where, "Object", shelf.name(2, 1)) == square((1, 150, 10, 50, 50))).all()
    assert not plane(where, "Class", shelf.name(1)).any() and not plane(where, "Object", shelf.name(2)).any()
    assert (plane(where, "Class", shelf.name(3)) == square((1, 10, 10, 40, 40), (2, 30, 30, 40, 40), (2, 150, 50, 20, 20))).all()
    assert (plane(where, "Object", shelf.name(3)) == square((1, 10, 10, 40, 40), (2, 30, 30, 40, 40), (4, 150, 50, 20, 20))).all()
    assert report["lost"] == {"answers.choices": 2, "overlaps": 2, "regions.keypointlabels": 3} and report["media"] == 5


def test_every_shape_covers_what_it_should(shelf, masks):
    where, _ = masks
    objects, classes = plane(where, "Object", shelf.name(0)), plane(where, "Class", shelf.name(0))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    assert (objects == 5)[GRASS > 0].all() and (classes[GRASS > 0] == 4).all() and (objects == 5).sum() == np.count_nonzero(GRASS)
    assert ((objects == 4) == (((x - 160) / 20) ** 2 + ((y - 80) / 10) ** 2 < 1)).all()
    assert ((objects == 2) == ((x > 90) & (x < 100) & (y > 50) & (y < 90))).all()  # turned by 90 degrees
    triangle = (y > 20) & ((x - 120) * 40 > (y - 20) * 30) & ((180 - x) * 40 > (y - 20) * 30)
    assert ((objects == 3) == triangle).all()
    assert {int(n): set(np.unique(classes[objects == n])) for n in np.unique(objects)} == {0: {0}, 1: {1}, 2: {2}, 3: {2}, 4: {3}, 5: {4}}


def test_the_colours_are_vocs(masks, shelf):
    where, _ = masks
    from datumaro.util.mask_tools import generate_colormap
    known = generate_colormap()
    lines = (where / "labelmap.txt").read_text().splitlines()
    assert lines[0].startswith("#") and [line.rsplit(":", 3)[0] for line in lines[1:]] == NAMES
    assert [tuple(map(int, line.rsplit(":", 3)[1].split(","))) for line in lines[1:]] == [tuple(map(int, known[n])) for n in range(5)]
    palette = Image.open(where / f"SegmentationClass/{shelf.name(0)}.png").getpalette()
    assert palette == [int(c) for n in range(256) for c in known[n]]


@pytest.mark.parametrize("kind", ["voc_segmentation", "voc_instance_segmentation"])
def test_datumaro_reads_masks(shelf, masks, kind):
    where, _ = masks
    items, categories = datumaro(where, kind)
    assert set(items) == {shelf.name(*at) for at in ((0,), (1,), (2,), (2, 1), (3,))}
    found = {}
    for annotation in items[shelf.name(0)].annotations:
        found.setdefault(label_of(annotation, categories), []).append(np.asarray(annotation.image).astype(bool))
    classes = plane(where, "Class", shelf.name(0))
    assert set(found) - {"background"} == {CAR, SHEEP, "pond", "grass"}
    for number, name in enumerate(NAMES[1:], 1):
        assert (np.logical_or.reduce(found[name]) == (classes == number)).all(), name
    assert len(found[SHEEP]) == 2  # objects apart
    assert (np.asarray(Image.open(io.BytesIO(picture(11)))) == np.asarray(Image.open(where / f"JPEGImages/{shelf.name(0)}.png"))).all()


def test_what_pycocotools_rasters(shelf, masks, tmp_path):
    """Of polygons it fills by another rule: what lies within a pixel of an edge may differ."""
    from pycocotools.coco import COCO
    read = COCO(str(shelf.unpack("coco", tmp_path)[0] / "annotations/instances_train.json"))
    image, = [i for i in read.imgs.values() if i["file_name"].startswith(shelf.name(0))]
    objects = plane(masks[0], "Object", shelf.name(0))
    drawn = [a for a in read.loadAnns(read.getAnnIds(imgIds=[image["id"]]))]
    assert len(drawn) == 5
    for number, annotation in enumerate(drawn, 1):
        if annotation["segmentation"]:
            theirs = read.annToMask(annotation) > 0
            assert (theirs ^ (objects == number)).sum() <= 0.06 * theirs.sum(), number


def test_more_objects_than_a_palette_has(api, builder, tmp_path):  # noqa: F811
    config = """<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="background"/>
<Label value=" a:b"/><Label value="c"/></RectangleLabels></View>"""
    def at(n, label, region="r"):
        part = upright(f"{region}{n}", label, n % 20 * 10, n // 20 * 5, 10, 5)
        part.pop("item_index")
        return part
    shelf = Shelf(api, config, "image", [(picture(20), [at(n, "c" if n % 2 else " a:b") for n in range(300)] + [at(5, "background", "none")])])
    where, report = shelf.unpack("masks", tmp_path)
    names = [line.rsplit(":", 3)[0] for line in (where / "labelmap.txt").read_text().splitlines()[1:]]
    assert names[0] == "background" and names[1].startswith(" a_b-") and names[2:] == ["c"]
    image = Image.open(where / f"SegmentationObject/{shelf.name(0)}.png")
    colours = np.asarray(image).astype(int)
    assert image.mode == "RGB" and len(np.unique(colours.reshape(-1, 3), axis=0)) == 300  # one is erased, and the background
    classes = plane(where, "Class", shelf.name(0))
    assert not classes[:5, 50:60].any() and (colours[:5, 50:60] == 0).all() and (classes[:5, :10] == 1).all() and (classes[:5, 10:20] == 2).all()
    assert report["lost"] == {"names": 1, "overlaps": 1}
