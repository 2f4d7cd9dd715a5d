"""`annotate sync`, and imports out of a customer's bucket: each object once, whatever stops a run, whatever a key or the service is like."""
import hashlib
import io
import json
import pathlib
import re
import signal
import subprocess
import time
import urllib.parse

import pytest
from PIL import Image

import s3
from kit import Desk
from stand import BIN, CRASH, ENVIRONMENT

pytestmark = pytest.mark.skipif(s3.MISSING is not None, reason=f"no S3 service: {s3.MISSING}")

CONFIG = """<View><Image name="img" value="$image"/>
<Choices name="kind" toName="img"><Choice value="cat"/><Choice value="dog"/></Choices></View>"""
NOTHING = {"objects": 0, "new": 0, "created": 0, "known": 0, "changed": 0, "failed": 0, "left_out": 0, "bytes": 0}


def png(shade):
    out = io.BytesIO()
    Image.new("L", (4, 3), shade % 256).save(out, "png", pnginfo=None)
    return out.getvalue() + b"%d" % shade  # no two alike


@pytest.fixture(scope="module")
def bucket():
    service = s3.Service()
    yield service
    service.stop()


@pytest.fixture
def desk(api):
    return Desk(api, tasks=0, label_config=CONFIG)


@pytest.fixture
def place(bucket, request):
    """A prefix of the test's own, and put(name, content) below it."""
    class Place:
        prefix = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]

        def put(self, name, content):
            status, said = bucket.raw("PUT", urllib.parse.quote(f"{self.prefix}/{name}"), content)
            assert status == 200, said

        def id(self, name):
            return f"s3://{s3.BUCKET}/{self.prefix}/{name}"
    return Place()


@pytest.fixture
def words(server, desk, bucket, tmp_path):
    """The words of a command on the desk's project, with the bucket's key."""
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(desk("manager").headers["Authorization"].partition(" ")[2])

    def make(verb, spec, *more):
        return [BIN / "annotate", verb, "--server", server.url, "--token-file", token, "--project", str(desk.project), "--from", spec,
                "--s3-access-key-file", bucket.keys / "access", "--s3-secret-key-file", bucket.keys / "secret", *map(str, more)]
    return make


def run(command, status=0):
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=240, check=False)
    said = done.stderr.decode("utf-8", "replace")
    assert not CRASH.search(said), said
    assert done.returncode == status, said
    return (json.loads(done.stdout) if done.stdout else None), said


@pytest.fixture
def sync(words, bucket, place):
    def command(*more, status=0, prefix=None, **options):
        return run(words("sync", bucket.spec(place.prefix if prefix is None else prefix, **options), "--allow-private", *more), status)
    return command


def tasks(desk):
    """By external id."""
    found, after = {}, 0
    while after is not None:
        page = desk("manager").ok("GET", f"{desk.path}/tasks?limit=500&after={after}")
        for task in page["tasks"]:
            assert task["external_id"] not in found
            found[task["external_id"]] = task
        after = page["next"]
    return found


def content(desk, task, field="image"):
    return desk("manager").get(task["data"][field]).content


def test_what_is_new(desk, sync, place):
    assert sync()[0] == NOTHING
    there = {"a.png": png(1), "b/c d+é.PNG": png(2)}
    for name, data in there.items():
        place.put(name, data)
    place.put("film.mp4", b"the config shows none")
    place.put("notes.txt", b"a text")
    place.put("empty.png", b"")
    place.put("b/", b"")
    sums, _ = sync()
    assert sums == NOTHING | {"objects": 6, "new": 2, "created": 2, "left_out": 4, "bytes": sum(map(len, there.values()))}
    got = tasks(desk)
    assert set(got) == {place.id(n) for n in there}
    for name, data in there.items():
        assert content(desk, got[place.id(name)]) == data
    full = desk.task(got[place.id("a.png")]["id"])
    assert full["meta"] == {"s3": {"etag": hashlib.md5(there["a.png"]).hexdigest(), "bytes": len(there["a.png"])}}
    again = {"objects": 6, "known": 2, "left_out": 4}
    assert sync()[0] == NOTHING | again
    place.put("new.png", png(3))
    assert sync()[0] == NOTHING | again | {"objects": 7, "new": 1, "created": 1, "bytes": len(png(3))}
    assert tasks(desk).keys() - got.keys() == {place.id("new.png")}
    # From the bucket's root the same objects are the same.
    assert sync("--match", f"{place.prefix}/*", prefix="")[0]["known"] == 3


def test_changed(desk, sync, place):
    place.put("a.png", png(1))
    place.put("b.png", png(2))
    sync()
    before = tasks(desk)
    place.put("a.png", png(10))
    sums, said = sync()
    assert (sums["new"], sums["changed"], sums["known"]) == (0, 1, 1) and f"{place.prefix}/a.png has changed; its task is left" in said
    assert tasks(desk) == before
    sums, said = sync("--changed", "new")
    assert (sums["new"], sums["created"], sums["changed"], sums["known"]) == (1, 1, 1, 1), said
    (fresh,) = tasks(desk).keys() - before.keys()
    assert fresh == f"{place.id('a.png')}?etag={hashlib.md5(png(10)).hexdigest()}"
    assert content(desk, tasks(desk)[fresh]) == png(10)
    for more in (["--changed", "new"], []):
        sums, said = sync(*more)
        assert (sums["created"], sums["changed"], sums["known"]) == (0, 0, 2) and "changed" not in said.replace('"changed"', "")
    assert len(tasks(desk)) == 3


def test_match_and_dry_run(desk, sync, place):
    for name in ("x/1.png", "x/2.jpg.png", "y/3.png", "y/4.txt"):
        place.put(name, png(len(name)))
    sums, said = sync("--match", "x/*", "--dry-run")
    assert sums == NOTHING | {"objects": 4, "new": 2, "left_out": 2}
    assert f"{place.prefix}/x/1.png is new" in said and "y/3" not in said and not tasks(desk)
    assert sync("--match", "*[34].*", "--field", "image")[0]["created"] == 2
    assert set(tasks(desk)) == {place.id("y/3.png"), place.id("y/4.txt")}
    assert 'shows "image"' in sync("--field", "thing", status=1)[1]


@pytest.mark.parametrize("shown, name, data", [
    ('<Audio name="o" value="$sound"/>', "a.wav", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\0\0\0\0"),
    ('<Text name="o" value="$sound" valueType="url"/>', "a.txt", "ein Text, äh".encode())])
def test_other_media(api, desk, sync, place, shown, name, data):
    desk.project = api.project(label_config=f'<View>{shown}<Choices name="kind" toName="o"><Choice value="cat"/></Choices></View>')
    desk.path = f"/v1/projects/{desk.project}"
    place.put(name, data)
    place.put("a.png", png(1))
    assert sync()[0] == NOTHING | {"objects": 2, "new": 1, "created": 1, "left_out": 1, "bytes": len(data)}
    assert content(desk, tasks(desk)[place.id(name)], "sound") == data


def test_pages(desk, sync, place, bucket):
    names = [f"{i:04}.png" for i in range(1105)]
    for i, name in enumerate(names):
        place.put(name, png(i))
    sums, said = sync("--parallel", 16)
    assert (sums["objects"], sums["created"], sums["failed"]) == (1105, 1105, 0), said
    got = tasks(desk)
    assert set(got) == {place.id(n) for n in names}
    assert content(desk, got[place.id("1104.png")]) == png(1104)
    asked = len(bucket.requests)
    assert sync()[0] == NOTHING | {"objects": 1105, "known": 1105}
    assert len(bucket.requests) - asked <= 3  # two pages and the end: no object is read again


def test_killed_and_taken_up(desk, words, sync, place, bucket):
    names = [f"{i:04}.png" for i in range(700)]
    for i, name in enumerate(names):
        place.put(name, png(i))
    for wait in (30, 400, 560):  # objects read: in the first batch, in it, in the second
        begun = len(bucket.requests)
        with subprocess.Popen(words("sync", bucket.spec(place.prefix), "--allow-private"), env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as p:
            until = time.monotonic() + 120
            while len(bucket.requests) - begun < wait and p.poll() is None and time.monotonic() < until:
                time.sleep(0.005)
            assert p.poll() is None
            p.send_signal(signal.SIGKILL)
        if wait == 560:
            assert len(tasks(desk)) == 500
    sums, said = sync()
    assert sums["known"] + sums["created"] == 700 and sums["failed"] == 0, said
    got = tasks(desk)
    assert set(got) == {place.id(n) for n in names}
    assert all(content(desk, got[place.id(names[i])]) == png(i) for i in (0, 499, 500, 699))


def test_hostile_names(desk, sync, place, bucket):
    good = ["../../etc/passwd.png", "a//b.png", "./x.png", "%2e%2e%2f.png", "q?x=1&y=2#z.png", "a/../b.png", "<Key>&amp;\".png", "'; DROP TABLE task;.png",
            "ü.png", "é.png"]
    for i, name in enumerate(good):
        place.put(name, png(i))
    long = "l" * 600 + ".png"
    place.put(long, png(90))
    sums, said = sync(status=1)
    assert (sums["objects"], sums["created"], sums["failed"]) == (len(good) + 1, len(good), 1), said
    assert "longer than 500 bytes" in said and "\x1b" not in said
    got = tasks(desk)
    assert set(got) == {place.id(n) for n in good}
    for i, name in enumerate(good):
        assert content(desk, got[place.id(name)]) == png(i), name
    assert sync(status=1)[0] == NOTHING | {"objects": len(good) + 1, "new": 1, "known": len(good), "failed": 1}


@pytest.fixture
def rewrite(bucket):
    yield bucket.front.rewrite
    bucket.front.rewrite.clear()


def test_names_that_are_no_text(desk, sync, place, rewrite):
    for name in ("MARK1.png", "MARK2.png", "ok.png"):
        place.put(name, png(1))
    rewrite += [(b"MARK1", b"%0A%1B%5B31m"), (b"MARK2", b"k%FE%FF")]
    sums, said = sync(status=1)
    assert (sums["created"], sums["failed"]) == (1, 2), said
    assert "\\x0a\\x1b[31m.png: it is no longer what was listed" in said and "k\\xfe\\xff.png: its name is" in said and "\x1b" not in said
    assert set(tasks(desk)) == {place.id("ok.png")}


@pytest.mark.parametrize("old, new", [(b"b.png", b"a.png"), (b"b.png", b"%00.png"), (b"b.png", b"%4.png"), (b"<Size>", b"<Size>-"), (b"b.png</Key>", b""),
                                      (b"b.png", b"b" * 1100), (b"ListBucketResult", b"Result")])
def test_listing_without_sense(desk, sync, place, rewrite, old, new):
    for name in ("a.png", "b.png"):
        place.put(name, png(1))
    rewrite.append((old, new))
    sums, said = sync(status=1)
    assert sums == NOTHING and "cannot be listed" in said and not tasks(desk)


def test_keys_from_elsewhere(desk, sync, place, rewrite):
    place.put("a.png", png(1))
    rewrite.append((place.prefix.encode() + b"/a.png</Key>", b"z/a.png</Key>"))
    assert sync()[0] == NOTHING and not tasks(desk)


@pytest.mark.parametrize("longer", [-1, 1, 1000])
def test_not_the_size_that_was_listed(desk, sync, place, rewrite, longer):
    place.put("a.png", png(1))
    size = len(png(1))
    rewrite.append((b"<Size>%d<" % size, b"<Size>%d<" % (size + longer)))
    sums, said = sync(status=1)
    assert (sums["created"], sums["failed"]) == (0, 1) and "a.png: it is no longer what was listed" in said and not tasks(desk)


def test_replaced_while_it_is_read(desk, sync, place, rewrite):
    place.put("a.png", png(1))
    rewrite.append((hashlib.md5(png(1)).hexdigest().encode(), b"0" * 32))
    sums, said = sync(status=1)
    assert (sums["created"], sums["failed"]) == (0, 1) and "a.png: it is no longer what was listed" in said and not tasks(desk)
    rewrite.clear()
    assert sync()[0]["created"] == 1


def test_task_of_unknown_version_is_left_alone(desk, sync, place):
    """As it is after an erasure: the id stays, nobody knows the ETag."""
    place.put("a.png", png(1))
    desk("manager").ok("POST", f"{desk.path}/tasks", 201, json=[{"data": {"image": "/x.png"}, "external_id": place.id("a.png")}])
    assert sync("--changed", "new")[0] == NOTHING | {"objects": 1, "known": 1}


def test_two_at_once(desk, words, place, bucket):
    for i in range(120):
        place.put(f"{i}.png", png(i))
    both = [subprocess.Popen(words("sync", bucket.spec(place.prefix), "--allow-private"), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for _ in range(2)]
    sums = [json.loads(p.communicate(timeout=120)[0]) for p in both]
    assert [p.returncode for p in both] == [0, 0]
    assert sum(s["created"] for s in sums) == 120 and all(s["created"] + s["known"] == 120 for s in sums)
    assert len(tasks(desk)) == 120


def test_not_what_its_name_says(desk, sync, place):
    place.put("page.png", b"<html><script>alert(1)</script></html>")
    place.put("ok.png", png(1))
    sums, said = sync(status=1)
    assert (sums["created"], sums["failed"]) == (1, 1) and "page.png is no image" in said
    assert set(tasks(desk)) == {place.id("ok.png")}


@pytest.mark.parametrize("fault", ["500.1", "503.2", "truncated.1", "reset.1", "timeout.1"])
def test_faults_that_pass(desk, sync, place, fault):
    place.put(f"fault.{fault}.get.o/a.png", png(1))
    place.put("b.png", png(2))
    sums, said = sync(timeout_s=1, tries=4)
    assert (sums["created"], sums["failed"]) == (2, 0), said
    assert content(desk, tasks(desk)[place.id(f"fault.{fault}.get.o/a.png")]) == png(1)


@pytest.mark.parametrize("fault", ["500.2", "403.1", "404.1", "truncated.2"])
def test_faults_that_stay(desk, sync, place, fault):
    place.put(f"a/fault.{fault}.get.o/a.png", png(1))
    place.put("b.png", png(2))
    sums, said = sync(status=1, timeout_s=1, tries=2)
    assert (sums["created"], sums["failed"]) == (1, 1) and "a.png" in said
    assert set(tasks(desk)) == {place.id("b.png")}
    sums, said = sync(timeout_s=1, tries=2)
    assert (sums["created"], sums["known"], sums["failed"]) == (1, 1, 0), said
    assert content(desk, tasks(desk)[place.id(f"a/fault.{fault}.get.o/a.png")]) == png(1)


@pytest.mark.parametrize("fault", ["403.1", "500.2", "truncated.2", "error200.2"])
def test_listing_that_fails(desk, bucket, sync, place, fault):
    prefix = f"{place.prefix}/fault.{fault}.get.list"
    place.put(f"fault.{fault}.get.list/a.png", png(1))
    sums, said = sync(status=1, prefix=prefix, timeout_s=1, tries=2)
    assert sums == NOTHING and "cannot be listed" in said
    assert not tasks(desk)


def test_large_object_in_pieces(desk, sync, place):
    large = png(1) + bytes(range(256)) * 4096 * 9  # three pieces
    place.put("large.png", large)
    assert sync()[0]["bytes"] == len(large)
    assert content(desk, tasks(desk)[place.id("large.png")]) == large


def test_memory_does_not_grow_with_an_object(words, place, bucket):
    """Peak memory of a run over 8 MiB, and over 160 MiB."""
    def peak(name, size):
        place.put(name, png(size) + bytes(size))
        environment = ENVIRONMENT | {"ASAN_OPTIONS": ENVIRONMENT.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"}
        most = 0
        with subprocess.Popen(words("sync", bucket.spec(place.prefix), "--allow-private", "--match", name), env=environment) as p:
            while p.poll() is None:
                most = max([most, *(int(n) for n in re.findall(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{p.pid}/status").read_text()))])
                time.sleep(0.005)
        assert p.returncode == 0 and most
        return most << 10
    small = peak("small.png", 8 << 20)
    assert peak("large.png", 160 << 20) < small + (40 << 20)


def test_guard(words, bucket, place):
    spec = bucket.spec(place.prefix)
    asked = len(bucket.requests)
    assert "https" in run(words("sync", spec), 1)[1]
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "[::1]"):
        assert "no public address" in run(words("sync", f"s3:https://{host}:{bucket.port}/{s3.BUCKET}"), 1)[1]
    assert len(bucket.requests) == asked


@pytest.mark.parametrize("spec", ["", "fs:/tmp", "s3:", "s3:https://host", "s3:https://host/b", "s3:https://u:p@host/bucket", "s3:https://host/bucket?key=x"])
def test_no_bucket(words, spec):
    assert "--from" in run(words("sync", spec), 1)[1]


# ---- data sets

@pytest.fixture
def take(words, bucket, place):
    def command(*more, status=0, **options):
        return run(words("import", bucket.spec(place.prefix, **options), "--allow-private", "--format", "coco", *more), status)
    return command


def coco(path):
    """A data set of 12 pictures in a directory."""
    (path / "annotations").mkdir(parents=True)
    (path / "images").mkdir()
    for i in range(12):
        (path / f"images/{i}.png").write_bytes(png(i))
    text = {"images": [{"id": i + 1, "file_name": f"{i}.png", "width": 4, "height": 3} for i in range(12)],
            "annotations": [{"id": i + 1, "image_id": i + 1, "category_id": 1, "bbox": [0, 1, 1 + i / 10, 2], "area": 1, "iscrowd": 0} for i in range(12)],
            "categories": [{"id": 1, "name": "cat"}]}
    (path / "annotations/instances_train.json").write_text(json.dumps(text))


BOXES = """<View><Image name="img" value="$image"/><RectangleLabels name="box" toName="img"><Label value="cat"/></RectangleLabels></View>"""


@pytest.fixture
def stored(api, desk, place, tmp_path):
    """The data set in the bucket, and the desk on a project that fits it; its directory."""
    desk.project = api.project(label_config=BOXES)
    desk.path = f"/v1/projects/{desk.project}"
    coco(tmp_path / "set")
    for file in sorted((tmp_path / "set").rglob("*.*")):
        place.put(str(file.relative_to(tmp_path / "set")), file.read_bytes())
    place.put("images/", b"")
    return tmp_path / "set"


def labels(desk):
    return {name: (t["data"], desk.task(t["id"])["meta"], desk.result(desk.task(t["id"])["head_label"])) for name, t in tasks(desk).items()}


def without_ids(found):
    return {name: (data, meta, [{k: v for k, v in item.items() if k != "id"} for item in result]) for name, (data, meta, result) in found.items()}


def test_data_set_as_from_a_directory(api, desk, words, take, stored):
    assert take()[0]["created"] == 12
    got = labels(desk)
    assert take()[0]["skipped"] == 12 and len(tasks(desk)) == 12
    desk.project = api.project(label_config=BOXES)
    desk.path = f"/v1/projects/{desk.project}"
    plain = words("import", "")
    place_of_from = plain.index("--from")
    del plain[place_of_from:place_of_from + 2]
    assert run([*plain, "--format", "coco", stored])[0]["created"] == 12
    assert without_ids(labels(desk)) == without_ids(got) and len(got) == 12


@pytest.mark.parametrize("name, why", [("../x.png", "leads out"), ("a//b.png", "leads out"), ("c\\d.png", "leads out"), ("l" * 600 + ".png", "512 bytes")])
def test_data_set_with_hostile_names(desk, bucket, take, stored, place, name, why):
    place.put(name, png(1))
    asked = len(bucket.requests)
    assert why in take(status=1)[1] and not tasks(desk)
    assert len(bucket.requests) - asked <= 2  # the listing; nothing is copied


@pytest.mark.parametrize("fault", ["500.2", "403.1", "truncated.2"])
def test_data_set_with_faults(desk, take, stored, place, fault):
    place.put(f"fault.{fault}.get.set/x.png", png(99))
    sums, said = take(status=1, timeout_s=1, tries=2)
    assert not tasks(desk) and "x.png" in said
    assert take(timeout_s=1, tries=2)[0]["created"] == 12


def test_data_set_misused(words, stored):
    plain = words("import", "s3:https://host/bucket")
    assert "--from needs --format" in run(plain, 2)[1]
    assert "PATH, or else --from" in run([*plain, "--format", "coco", stored], 2)[1]
    del plain[plain.index("--from"):plain.index("--from") + 2]
    assert "PATH, or else --from" in run([*plain, "--format", "coco"], 2)[1]
    assert "https" in run(words("import", "s3:http://10.0.0.1/bucket", "--format", "coco"), 1)[1]
    assert "no public address" in run(words("import", "s3:https://10.0.0.1/bucket", "--format", "coco"), 1)[1]
