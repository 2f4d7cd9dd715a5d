"""Regions that do not say how large their picture is: the stored file does, or they are lost. And names that YAML could take otherwise."""
import io
import json

import numpy as np
import yaml
from PIL import Image

from export_env import Shelf, builder  # noqa: F401

NAMES = ["driver's # 1", "a: \"b\"", "no", "羊 🐑", "del\x7f", "next\x85line", "line\u2028end"]
CONFIG = ('<View><Image name="image" valueList="$pages"/><RectangleLabels name="box" toName="image">'
          + "".join('<Label value="{}"/>'.format("".join(f"&#{ord(c)};" for c in name)) for name in NAMES) + "</RectangleLabels></View>")


def picture(width, height):
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(width).integers(0, 255, (height, width, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


def box(page, **more):
    return {"id": f"b{page}", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "item_index": page,
            "value": {"x": 50, "y": 0, "width": 25, "height": 50, "rotation": 0, "rectanglelabels": [NAMES[page]]}, **more}


def test_percent_becomes_pixels_of_the_stored_file(api, builder, tmp_path):  # noqa: F811
    pages = ["https://example.org/elsewhere.png", picture(400, 200), picture(30, 100), "https://example.org/drawn.png"]
    document = [box(0), box(1), box(2), box(3, original_width=80, original_height=40)]
    shelf = Shelf(api, CONFIG, "pages", [(pages, document)])
    where, report = shelf.unpack("coco", tmp_path / "coco")
    read = json.loads((where / "annotations/instances_train.json").read_text())
    assert [(i["width"], i["height"]) for i in read["images"]] == [(0, 0), (400, 200), (30, 100), (80, 40)]
    assert [(a["image_id"], a["bbox"]) for a in read["annotations"]] == [(2, [200, 0, 100, 100]), (3, [15, 0, 7.5, 50]), (4, [40, 0, 20, 20])]
    assert report["lost"] == {"pictures.size": 1, "regions.rectanglelabels": 1}
    where, report = shelf.unpack("yolo", tmp_path / "yolo")
    assert sorted(path.stem for path in (where / "labels/train").iterdir()) == [shelf.name(0, n) for n in (1, 2, 3)]
    assert yaml.safe_load((where / "data.yaml").read_text())["names"] == dict(enumerate(NAMES))
    assert report["lost"] == {"pictures.size": 1, "regions.rectanglelabels": 1}
