"""annotate-prelabel against an API of a few lines that can misbehave on demand: busy, cut off, slow to lose an answer.
What the real server does with pre-labels is tested with the server."""
import gzip
import hashlib
import http.server
import itertools
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import threading
import time
import zlib

import pytest
from stand import BIN, CRASH, ENVIRONMENT, ROOT

TOKEN = "ann_test_token_that_is_in_no_log"
LABELS = json.loads((ROOT / "models/fashion-v1.json").read_text())["labels"]
CONFIG = ('<View><Image name="picture" value="$image"/><Choices name="kind" toName="picture">'
          + "".join(f'<Choice value="{label}"/>' for label in LABELS) + "</Choices></View>")
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def png(pixels, side=28):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[y * side:(y + 1) * side] for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Work:
    """One assignment of stage prelabel."""

    def __init__(self, number, project, address):
        self.id, self.project, self.address = number, project, address
        self.version, self.state, self.releases = 1, "open", 0
        self.posts = []  # every prediction that was accepted for it


class Api(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self.projects = {}  # id: (role, label config)
        self.assets, self.work = {}, {}
        self.asset_status = {}  # path: status instead of the bytes
        self.answered = {}  # idempotency key: answer
        self.lose_posts = 0  # answers to predictions to swallow, after doing the work
        self.refuse_labels = False
        self.claims = []
        self.numbers = itertools.count(1)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def asset(self, data):
        path = f"/v1/assets/{hashlib.sha256(data).hexdigest()}"
        self.assets[path] = data
        return path

    def add(self, address, project=1):
        w = Work(next(self.numbers), project, address)
        self.work[w.id] = w
        return w

    def open(self):
        return [w for w in self.work.values() if w.state != "done"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes; together with delayed ACKs that is 40 ms a call

    def log_message(self, *_):
        pass

    def reply(self, status, value, **headers):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def problem(self, status, slug):
        self.reply(status, {"type": f"/errors/{slug}", "title": slug, "status": status, "detail": slug})

    def do_GET(self):
        api = self.server
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.problem(401, "unauthenticated")
        if self.path == "/v1/me":
            return self.reply(200, {"id": 9, "projects": [
                {"id": i, "name": "p", "role": role} for i, (role, _) in api.projects.items()]})
        if m := re.fullmatch(r"/v1/projects/(\d+)", self.path):
            return self.reply(200, {"id": int(m[1]), "label_config": api.projects[int(m[1])][1]})
        if self.path in api.asset_status:
            return self.problem(api.asset_status[self.path], "busy")
        if self.path in api.assets:
            return self.reply(200, api.assets[self.path])
        return self.problem(404, "not-found")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.problem(401, "unauthenticated")
        for pattern, do in ((r"/v1/projects/(\d+)/claims", self.claim), (r"/v1/projects/(\d+)/predictions", self.post),
                            (r"/v1/assignments/(\d+)/release", self.release)):
            if m := re.fullmatch(pattern, self.path):
                with self.server.lock:
                    return do(int(m[1]), json.loads(body) if body else None)
        return self.problem(404, "not-found")

    def claim(self, project, body):
        assert body["stage"] == "prelabel" and 1 <= body["count"] <= 500 and 0 <= body["wait_s"] <= 60
        self.server.claims.append(project)
        mine = [w for w in self.server.work.values() if w.project == project and w.state == "leased"][:body["count"]]
        for w in self.server.work.values():
            if len(mine) < body["count"] and w.project == project and w.state == "open":
                w.state, w.version = "leased", w.version + 1
                mine.append(w)
        if not mine:
            time.sleep(0.02)
        self.reply(200, {"assignments": [
            {"id": w.id, "stage": "prelabel", "slot": 1, "version": w.version, "lease_expires_at": "2030-01-01T00:00:00Z",
             "task": {"id": 1000 + w.id, "data": {"image": w.address} if w.address else {}, "meta": {}, "version": 1},
             "label": None, "predictions": [], "draft": None, "comments": []} for w in mine]})

    def post(self, project, body):
        api = self.server
        key = self.headers["Idempotency-Key"]
        if key not in api.answered:
            api.answered[key] = [self.take(project, p) for p in body["predictions"]]
        if api.lose_posts:
            api.lose_posts -= 1
            self.close_connection = True
            return None
        return self.reply(200, {"results": api.answered[key]})

    def take(self, project, p):
        w = self.server.work[p["assignment"]]
        assert w.project == project and ("result" in p) != ("error" in p)
        if w.state != "leased" or p["version"] != w.version:
            return {"assignment": w.id, "error": "lease-lost", "detail": "not yours"}
        if self.server.refuse_labels and "result" in p:
            return {"assignment": w.id, "error": "label-invalid", "pointer": "/result", "detail": "no such label"}
        w.posts.append(p)
        w.state = "done"
        return {"assignment": w.id, "task": {"id": 1000 + w.id, "state": "annotate", "version": 2}, "label": {"id": 1}}

    def release(self, number, _):
        w = self.server.work[number]
        if w.state != "leased" or self.headers["If-Match"] != f'"{w.version}"':
            return self.problem(412, "version-mismatch")
        w.state, w.releases = "open", w.releases + 1
        return self.reply(200, {"id": number, "version": w.version})


class Worker:
    def __init__(self, api, directory, *words):
        self.log = directory / "log"
        token = directory / "token"
        token.write_text(TOKEN + "\n")
        self.pid_file = directory / "pid"
        with open(self.log, "wb") as log:
            self.proc = subprocess.Popen(
                [BIN / "annotate-prelabel", "--server", api.url, "--token-file", token, "--models", ROOT / "models",
                 "--pid-file", self.pid_file, *(words or ("--engine", "fake"))],
                env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def until(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            assert self.proc.poll() is None and time.monotonic() < end, self.text()[-4000:]
            time.sleep(0.02)

    def text(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        code = self.proc.wait(30)
        assert not CRASH.search(self.text()), self.text()
        assert TOKEN not in self.text()
        return code


@pytest.fixture
def fake():
    api = Api()
    api.projects[1] = ("model", CONFIG)
    yield api
    api.shutdown()
    api.server_close()


@pytest.fixture
def start(fake, tmp_path):
    started = []

    def go(*words):
        started.append(Worker(fake, tmp_path, *words))
        return started[-1]

    yield go
    for w in started:
        if w.proc.poll() is None:
            w.proc.kill()
            w.proc.wait()


def picture(seed):
    return png(bytes((seed * 31 + i * 7) % 256 for i in range(784)))


def test_every_task_once(fake, start):
    works = [fake.add(fake.asset(picture(i % 150))) for i in range(300)]
    worker = start("--engine", "fake", "--prelabel-batch", "32")
    worker.until(lambda: not fake.open())
    assert worker.pid_file.read_text() == f"{worker.proc.pid}\n"
    assert worker.stop() == 0
    for w in works:
        [p] = w.posts
        [item] = p["result"]
        assert p["model"] == "fake-fashion@1" and 0 <= p["score"] <= 1
        assert item["type"] == "choices" and item["origin"] == "prediction" and item["id"]
        assert (item["from_name"], item["to_name"]) == ("kind", "picture")
        assert len(item["value"]["choices"]) == 1 and item["value"]["choices"][0] in LABELS
    same = [w.posts[0]["result"][0]["value"] for w in works]
    assert same[:150] == same[150:]  # the same picture, the same label
    assert len({json.dumps(v) for v in same}) > 3


def test_bad_pictures_never_block_people(fake, start):
    good = picture(1)
    bomb = bytearray(good)
    bomb[16:24] = struct.pack(">II", 20000, 20000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
    cases = {
        "decode": [good[:60], b"GIF89a", b"", bytes(bomb), b"\xff\xd8\xff\xe0 no jpeg"],
        "fetch": ["/v1/assets/" + "0" * 64, "/v1/me", "file:///etc/passwd", "http://127.0.0.1/x.png", None,
                  "https://127.0.0.1:1/x.png", fake.url + "/v1/me", "//evil.example/x", "data:image/png;base64,AA"],
    }
    want = {}
    for word, pictures in cases.items():
        for p in pictures:
            want[fake.add(fake.asset(p) if isinstance(p, bytes) else p)] = word
    fine = fake.add(fake.asset(good))
    worker = start()
    worker.until(lambda: not fake.open())
    assert worker.stop() == 0
    assert {w.id: w.posts[0].get("error") for w in want} == {w.id: word for w, word in want.items()}
    assert "result" in fine.posts[0]


def test_passing_trouble_gives_back_then_gives_up(fake, start):
    w = fake.add(fake.asset(picture(1)))
    fake.asset_status[w.address] = 503
    worker = start()
    worker.until(lambda: w.releases == 1)
    del fake.asset_status[w.address]
    worker.until(lambda: not fake.open())
    assert "result" in w.posts[0]
    never = fake.add(fake.asset(picture(2)))
    fake.asset_status[never.address] = 500
    worker.until(lambda: not fake.open(), 60)
    assert never.posts[0]["error"] == "unavailable" and never.releases == 3
    assert worker.stop() == 0


def test_lost_answers_are_asked_again(fake, start):
    fake.lose_posts = 2
    works = [fake.add(fake.asset(picture(i))) for i in range(40)]
    worker = start()
    worker.until(lambda: not fake.open())
    assert worker.stop() == 0
    assert all(len(w.posts) == 1 for w in works)
    assert "posted 40" in worker.text() and "lost 0" in worker.text()


def test_label_that_the_server_refuses(fake, start):
    fake.refuse_labels = True
    w = fake.add(fake.asset(picture(1)))
    worker = start()
    worker.until(lambda: not fake.open())
    assert worker.stop() == 0
    assert w.posts[0]["error"] == "label"


def test_only_projects_that_are_ours_and_fit(fake, start):
    fake.projects[2] = ("annotator", CONFIG)
    fake.projects[3] = ("model", '<View><Image name="i" value="$image"/><Choices name="c" toName="i">'
                                 '<Choice value="Bag"/><Choice value="Coat"/></Choices></View>')
    fake.projects[4] = ("model", "<View><not closed")
    fake.projects[5] = ("model", CONFIG.replace("picture", "p2").replace("kind", "k2"))
    for project in range(1, 6):
        fake.add(fake.asset(picture(project)), project)
    worker = start()
    worker.until(lambda: {w.project for w in fake.open()} == {2, 3, 4})
    time.sleep(0.3)
    assert worker.stop() == 0
    assert set(fake.claims) == {1, 5}
    [five] = [w for w in fake.work.values() if w.project == 5]
    assert five.posts[0]["result"][0]["from_name"] == "k2"


def test_stop_leaves_nothing_behind(fake, start):
    for i in range(3000):
        fake.add(fake.asset(picture(i % 100)))
    worker = start()
    worker.until(lambda: len(fake.open()) < 2900)
    assert worker.stop() == 0
    states = {w.state for w in fake.work.values()}
    assert "leased" not in states and "open" in states
    assert all(len(w.posts) <= 1 for w in fake.work.values())


def test_waits_for_a_server_that_comes_later(fake, start, tmp_path):
    fake.add(fake.asset(picture(1)))
    fake.projects.clear()
    worker = start()
    time.sleep(0.5)
    assert worker.proc.poll() is None
    fake.projects[1] = ("model", CONFIG)
    worker.until(lambda: not fake.open(), 30)
    assert worker.stop() == 0


@pytest.mark.parametrize("words, why", [
    (("--engine", "magic"), "engine must be"),
    (("--device", "tpu"), "device must be"),
    (("--models", "/nonexistent"), "no model descriptor"),
    (("--engine", "onnx", "--ort-lib", "/nonexistent.so"), "no model could be opened"),
    (("--server", "localhost"), "no client"),
    (("--token-file", "/nonexistent"), "no client"),
    (("surplus",), "options only"),
])
def test_refuses_to_start(fake, start, words, why):
    worker = start("--engine", "fake", *words)
    assert worker.proc.wait(20) != 0
    assert why in worker.text() and not CRASH.search(worker.text())


def idx(name, header):
    return gzip.decompress((FASHION / name).read_bytes())[header:]


@pytest.mark.skipif(not os.environ.get("ANNOTATE_ORT_LIB"), reason="ANNOTATE_ORT_LIB is not set")
@pytest.mark.skipif(not FASHION.exists(), reason="dataset-fashion-mnist is not installed")
def test_fashion_for_real(fake, start):
    images, truth = idx("t10k-images-idx3-ubyte.gz", 16), idx("t10k-labels-idx1-ubyte.gz", 8)
    count = 1000
    works = [fake.add(fake.asset(png(images[i * 784:(i + 1) * 784]))) for i in range(count)]
    worker = start("--ort-lib", os.environ["ANNOTATE_ORT_LIB"], "--device", "cpu")
    worker.until(lambda: not fake.open(), 60)
    assert worker.stop() == 0
    right = sum(w.posts[0]["result"][0]["value"]["choices"][0] == LABELS[truth[i]] for i, w in enumerate(works))
    assert all(w.posts[0]["model"] == "fashion@1" for w in works)
    assert 0.72 < right / count < 0.80
    assert "provider cpu" in worker.text()
