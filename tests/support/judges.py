"""Writes the vectors in tests/data that the C tests of core/ are judged by: what other, well known
programs make of the same input.

    pip install numpy scipy shapely pycocotools scikit-learn statsmodels krippendorff rapidfuzz
    python3 tests/support/judges.py

Seeded: the same versions write the same bytes.
"""

import itertools
import json
import math
import pathlib
import random

import krippendorff
import numpy
from pycocotools import mask
from rapidfuzz.distance import Levenshtein
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from shapely.geometry import Polygon
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
WIDTH, HEIGHT = 640, 480
rnd = random.Random(20111)


def write(name, rows):
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (DATA / f"{name}.json").write_text(f"[\n{lines}\n]\n")


# ---- places

def item(kind, value):
    return {"id": "r", "type": kind, "from_name": "l", "to_name": "i",
            "original_width": WIDTH, "original_height": HEIGHT,
            "value": value | {kind: ["A"]}}


def box(x, y, w, h, rotation=0):
    return item("rectanglelabels", {"x": x / WIDTH * 100, "y": y / HEIGHT * 100, "width": w / WIDTH * 100,
                                    "height": h / HEIGHT * 100, "rotation": rotation})


def corners(x, y, w, h, degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [(x, y), (x + w * c, y + w * s), (x + w * c - h * s, y + w * s + h * c), (x - h * s, y + h * c)]


def polygon(points):
    return item("polygonlabels", {"points": [[x / WIDTH * 100, y / HEIGHT * 100] for x, y in points], "closed": True})


def shared(a, b):
    a, b = Polygon(a), Polygon(b)
    assert a.is_valid and b.is_valid
    union = a.union(b).area
    return a.intersection(b).area / union if union else 0


def radial(n, x, y, r):
    """A concave polygon without crossings: the angles ascend, the radii jump."""
    out = []
    for k in range(n):
        t, d = 2 * math.pi * (k + rnd.uniform(0.1, 0.9)) / n, rnd.uniform(r / 5, r)
        out.append((x + d * math.cos(t), y + d * math.sin(t)))
    return out


def comb(teeth, x, y, w, h):
    out = [(x, y), (x + w, y), (x + w, y + h)]
    for k in range(teeth, 0, -1):
        out += [(x + w * (k - 0.25) / teeth, y + h), (x + w * (k - 0.5) / teeth, y + h / 5), (x + w * (k - 1) / teeth, y + h)]
    return out[:-1] + [(x, y + h)]


def shapes():
    rows = []
    for _ in range(60):
        a, b = ([rnd.uniform(0, 300), rnd.uniform(0, 200), rnd.uniform(1, 300), rnd.uniform(1, 250)] for _ in "ab")
        rows.append({"a": box(*a), "b": box(*b), "iou": float(mask.iou([a], [b], [0])[0][0]), "judge": "pycocotools"})
    for _ in range(60):
        a, b = ([rnd.uniform(150, 300), rnd.uniform(100, 200), rnd.uniform(10, 200), rnd.uniform(10, 200),
                 rnd.choice([0, 30, 45, 90, 180, rnd.uniform(-360, 360)])] for _ in "ab")
        rows.append({"a": box(*a), "b": box(*b), "iou": shared(corners(*a), corners(*b)), "judge": "shapely"})
    made = [(radial(rnd.randint(3, 60), 300, 200, 150), radial(rnd.randint(3, 60), rnd.uniform(200, 400), 250, 150)) for _ in range(80)]
    made += [(comb(k, 100, 100, 300, 200), comb(k + 1, 120, 90, 260, 230)) for k in range(1, 25)]
    square = [(100, 100), (200, 100), (200, 200), (100, 200)]
    made += [
        (square, [(200, 100), (300, 100), (300, 200), (200, 200)]),  # share a side
        (square, [(200, 200), (300, 200), (300, 300), (200, 300)]),  # share a corner
        (square, [(100, 100), (150, 100), (200, 100), (200, 200), (100, 200)]),  # a corner on a side
        (square, list(reversed(square))),
        (square, square[2:] + square[:2]),
        (square, [(150, 50), (250, 150), (150, 250), (50, 150)]),
        (square, [(120, 120), (180, 120), (180, 180), (120, 180)]),  # within
        ([(0, 0), (300, 0), (300, 300), (200, 300), (200, 100), (100, 100), (100, 300), (0, 300)],
         [(50, 150), (250, 150), (250, 250), (50, 250)]),  # across both arms of a U
    ]
    for a, b in made:
        rows.append({"a": polygon(a), "b": polygon(b), "iou": shared(a, b), "judge": "shapely"})
    write("shapes", rows)


def documents():
    """Whole documents of boxes under one label: the best matching's mean IoU, and F1 at .5."""
    rows = []
    for n in [1, 2, 3, 5, 8, 13, 40, 120]:
        for _ in range(4):
            a = [[rnd.uniform(0, 540), rnd.uniform(0, 380), rnd.uniform(10, 100), rnd.uniform(10, 100)] for _ in range(n)]
            b = [[v + rnd.gauss(0, 6) * (k < 2) for k, v in enumerate(one)] for one in a if rnd.random() < 0.9]
            b = [[max(0, one[0]), max(0, one[1]), *one[2:]] for one in b]
            b += [[rnd.uniform(0, 540), rnd.uniform(0, 380), rnd.uniform(10, 100), rnd.uniform(10, 100)] for _ in range(rnd.randint(0, n // 3))]
            if not b:
                continue
            rnd.shuffle(b)
            iou = mask.iou(a, b, [0] * len(b))
            best = iou[linear_sum_assignment(iou, maximize=True)].sum()
            hits = (maximum_bipartite_matching(csr_matrix(iou >= 0.5)) >= 0).sum()
            rows.append({"a": [box(*one) | {"id": f"a{k}"} for k, one in enumerate(a)],
                         "b": [box(*one) | {"id": f"b{k}"} for k, one in enumerate(b)],
                         "iou": float(2 * best / (len(a) + len(b))), "f1": float(2 * hits / (len(a) + len(b)))})
    write("box_documents", rows)


def matchings():
    rows = []
    for na, nb in [(1, 1), (2, 5), (5, 2), (7, 7), (20, 30), (30, 20), (60, 60)]:
        for share in [0.1, 0.5, 1]:
            w = [[round(rnd.uniform(0.01, 1), 3) if rnd.random() < share else 0 for _ in range(nb)] for _ in range(na)]
            m = numpy.array(w)
            rows.append({"weights": w, "best": float(m[linear_sum_assignment(m, maximize=True)].sum())})
    write("matchings", rows)


# ---- texts

def texts():
    rows = []
    alphabets = ["ab", "abcdefghij ", "äöüßé漢字😀🏽x"]
    for n in [0, 1, 2, 7, 63, 64, 65, 127, 128, 129, 300, 1000]:
        for alphabet in alphabets:
            a = [rnd.choice(alphabet) for _ in range(n)]
            b = list(a)
            for _ in range(rnd.randint(0, n // 4 + 2)):
                at = rnd.randint(0, len(b))
                what = rnd.randint(0, 2)
                b[at:at + (what > 0)] = [rnd.choice(alphabet)] if what < 2 else []
            c = [rnd.choice(alphabet) for _ in range(rnd.randint(0, n + 3))]
            for other in (b, c):
                x, y = "".join(a), "".join(other)
                rows.append({"a": x, "b": y, "distance": Levenshtein.distance(x, y), "similarity": Levenshtein.normalized_similarity(x, y)})
    write("texts", rows)


# ---- coefficients

LEVELS = ["nominal", "ordinal", "interval", "ratio"]
X = None
PUBLISHED = [  # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), part D
    [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, 3],
    [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, X],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
]


def reliability_row(table, note):
    """table[rater][unit]"""
    rows = [[u, r, v] for u, column in enumerate(zip(*table)) for r, v in enumerate(column) if v is not None]
    out = {"note": note, "rows": rows, "alpha": {}}
    data = numpy.array([[numpy.nan if v is None else v for v in line] for line in table], dtype=float)
    for level in LEVELS:
        if level != "ratio" or numpy.nanmin(data) >= 0:
            out["alpha"][level] = float(krippendorff.alpha(data, level_of_measurement=level))
    both = [(a, b) for a, b in zip(table[0], table[1]) if a is not None and b is not None]
    labels = sorted({v for pair in both for v in pair})
    a, b = ([labels.index(pair[k]) for pair in both] for k in (0, 1))
    if len(labels) > 1:
        out["cohen"] = [float(cohen_kappa_score(a, b, weights=w)) for w in (None, "linear", "quadratic")]
    if all(v is not None for line in table for v in line):
        values = sorted({v for line in table for v in line})
        out["fleiss"] = float(fleiss_kappa([[column.count(v) for v in values] for column in zip(*table)]))
    return out


def reliability():
    first = reliability_row(PUBLISHED, "Krippendorff 2011")
    first["published"] = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}
    rows = [first]
    for _ in range(40):
        raters, units = rnd.randint(2, 9), rnd.randint(4, 60)
        values = rnd.choice([[1, 2], [1, 2, 3, 4, 5], [0, 1, 10, 100], [0.5, 1.25, 2, 7.75], list(range(1, 21)), [-3, -1, 0, 4]])
        missing, noise = rnd.choice([0, 0, 0.2, 0.5]), rnd.uniform(0, 1)
        truth = [rnd.choice(values) for _ in range(units)]
        table = [[None if rnd.random() < missing else rnd.choice(values) if rnd.random() < noise else t for t in truth] for _ in range(raters)]
        used = {v for line in table for v in line if v is not None}
        if len(used) < 2 or not any(sum(v is not None for v in c) > 1 for c in zip(*table)):
            continue
        try:
            row = reliability_row(table, "random")
        except ValueError:
            continue
        if all(math.isfinite(v) for v in row["alpha"].values()):
            rows.append(row)
    write("reliability", rows)


def shares():
    rows = []
    for n, hits in [(1, 0), (1, 1), (10, 0), (10, 1), (10, 5), (50, 2), (200, 10), (1000, 999), (1000000, 12345)]:
        for confidence in (0.8, 0.9, 0.95, 0.99):
            low, high = proportion_confint(hits, n, alpha=1 - confidence, method="wilson")
            rows.append({"hits": hits, "n": n, "confidence": confidence, "low": float(low), "high": float(high)})
    for expected, margin, confidence in itertools.product([0, 0.02, 0.1, 0.5], [0.01, 0.03, 0.1], [0.9, 0.95]):
        n = 1
        while True:
            low, high = proportion_confint(expected * n, n, alpha=1 - confidence, method="wilson")
            if (high - low) / 2 <= margin:
                break
            n += 1
        rows.append({"expected": expected, "margin": margin, "confidence": confidence, "size": n})
    write("shares", rows)


if __name__ == "__main__":
    shapes()
    documents()
    matchings()
    texts()
    reliability()
    shares()
