"""Shards out, read by the webdataset package."""
import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from export_env import Shelf, builder  # noqa: F401
from test_exports import EVERYTHING, SHEEP, everything, picture, upright


@pytest.fixture(scope="module")
def shelf(api, builder):  # noqa: F811
    rows = [([picture(31)], everything()), ([picture(32), picture(33)], [upright("b", SHEEP, 150, 10, 50, 50, page=1)]), ([picture(34)], []),
            (["https://example.org/far.png"], [])]
    return Shelf(api, EVERYTHING, "pages", rows, splits=("train", "val"))


def samples(*shards):
    import webdataset
    return list(webdataset.WebDataset([str(path) for path in shards], shardshuffle=False).decode("rgb8"))


def known(shelf):
    return {task["task"]: task for task in map(json.loads, shelf.export("jsonl").decode().splitlines())}


def test_webdataset_reads_shards(shelf, tmp_path):
    where, report = shelf.unpack("webdataset", tmp_path)
    tasks, pixels = known(shelf), {n: np.asarray(Image.open(io.BytesIO(picture(n)))) for n in range(31, 35)}
    train, val = samples(where / "train-000000.tar"), samples(where / "val-000000.tar")
    assert [sample["__key__"] for sample in train] == [shelf.name(0), shelf.name(2)] and [sample["__key__"] for sample in val] == [
        shelf.name(1), shelf.name(3)]
    for sample in train + val:
        assert sample["json"] == tasks[int(sample["__key__"])]
    assert [set(sample) - {"__key__", "__url__", "__local_path__"} for sample in train + val] == [
        {"png", "json"}, {"png", "json"}, {"png", "2.png", "json"}, {"json"}]
    assert (train[0]["png"] == pixels[31]).all() and (train[1]["png"] == pixels[34]).all()
    assert (val[0]["png"] == pixels[32]).all() and (val[0]["2.png"] == pixels[33]).all()
    assert report["lost"] == {"media.elsewhere": 1} and report["media"] == 4 and report["missing"] == 0
    for split, count in (("train", 2), ("val", 2)):
        index = json.loads((where / f"{split}.json").read_text())
        assert index["shardlist"] == [{"url": f"{split}-000000.tar", "nsamples": count, "filesize": (where / f"{split}-000000.tar").stat().st_size}]
        assert index["__kind__"] == "wids-shard-index-v1" and index["wids_version"] == 1


def test_datasets_reads_shards(shelf, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets
    where, _ = shelf.unpack("webdataset", tmp_path / "data")
    table = datasets.load_dataset("webdataset", data_files={"train": str(where / "train-*.tar")}, cache_dir=str(tmp_path / "cache"))["train"]
    assert table["__key__"][:] == [shelf.name(0), shelf.name(2)] and [row["task"] for row in table["json"]] == [shelf.tasks[0], shelf.tasks[2]]
    assert (np.asarray(table[0]["png"]) == np.asarray(Image.open(io.BytesIO(picture(31))))).all()


def test_the_tars_are_tars(shelf, tmp_path):
    """By Python's tarfile, which is strict about heads and ends."""
    where, _ = shelf.unpack("webdataset", tmp_path)
    for path in where.glob("*.tar"):
        assert path.stat().st_size % 512 == 0 and path.read_bytes().endswith(bytes(1024))
        with tarfile.open(path, errorlevel=2) as archive:
            for member in archive.getmembers():
                assert member.isreg() and (member.mtime, member.uid, member.gid, member.mode) == (0, 0, 0, 0o644)


def test_without_media(shelf, tmp_path):
    where, report = shelf.unpack("webdataset", tmp_path, media="false")
    assert [set(sample) - {"__key__", "__url__", "__local_path__"} for sample in samples(where / "train-000000.tar")] == [{"json"}] * 2
    assert report["lost"] == {} and report["media"] == 0


def test_what_is_gone_is_listed(api, builder, server, tmp_path):  # noqa: F811
    """A sample without its picture is a sample."""
    shelf = Shelf(api, EVERYTHING, "pages", [([picture(41)], []), ([picture(42)], [])])
    url, = [url for url, file in shelf.files.items() if file == picture(42)]
    blobs = [path for path in (server.directory / "blobs").rglob("*") if path.is_file() and path.read_bytes() == picture(42)]
    assert len(blobs) == 1
    blobs[0].unlink()
    where, report = shelf.unpack("webdataset", tmp_path)
    assert [set(sample) & {"png", "json"} for sample in samples(where / "train-000000.tar")] == [{"png", "json"}, {"json"}]
    missing, = map(json.loads, (where / "missing.jsonl").read_text().splitlines())
    assert missing["file"] == f"{shelf.name(1)}.png" and missing["asset"] in url and report["missing"] == 1
