"""Uploads in parts: any order, again and again, on after any interruption; and nothing half stored (I6)."""
import base64
import contextlib
import hashlib
import os
import random
import subprocess
import threading

import pytest
import requests

import stand
from kit import problem, until
from stand import Worker
from test_assets import overrun, png, put

MIN = 5 << 20
WHOLE = png(7, 5) + os.urandom(2 * MIN + 12345 - len(png(7, 5)))
PARTS = [WHOLE[:MIN], WHOLE[MIN:2 * MIN], WHOLE[2 * MIN:]]


def sha(data):
    return hashlib.sha256(data).hexdigest()


def digest(data):
    return {"Repr-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"}


def begin(client, data=WHOLE, whole=True, status=201):
    return client.ok("POST", "/v1/uploads", status, json={"bytes": len(data)} | ({"sha256": sha(data)} if whole else {}))


def send(client, upload, n, data, headers=None):
    return client.put(f"/v1/uploads/{upload['id']}/parts/{n}", data=data, headers=digest(data) if headers is None else headers)


def sent(client, upload, n, data):
    answer = send(client, upload, n, data)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"n": n, "bytes": len(data), "sha256": sha(data)}


def complete(client, upload):
    return client.post(f"/v1/uploads/{upload['id']}/complete", timeout=120)


def fresh(size=1000):
    """A content that no other test has."""
    return os.urandom(size)


def files(server, below):
    return [os.path.join(d, f) for d, _, names in os.walk(server.directory / "blobs" / below) for f in names]


@pytest.fixture
def alive(server):
    yield
    if server.proc.poll() is None:
        server.kill()
    server.start()


@contextlib.contextmanager
def upkeep(server):
    worker = Worker("upkeep", server)
    try:
        yield worker
    finally:
        worker.stop()


@pytest.mark.parametrize("whole", [True, False])
def test_parts_in_any_order(api, server, whole):
    client, tail = api("annotator"), fresh()
    parts = [PARTS[0], PARTS[1], tail]
    data = b"".join(parts)
    upload = begin(client, data, whole)
    assert upload["parts"] == [] and upload["asset"] is None and upload["bytes"] == len(data)
    for n in (3, 1, 2):
        sent(client, upload, n, parts[n - 1])
    sent(client, upload, 1, parts[0])  # again
    there = client.ok("GET", f"/v1/uploads/{upload['id']}")
    assert [(p["n"], p["bytes"], p["sha256"]) for p in there["parts"]] == [(n + 1, len(p), sha(p)) for n, p in enumerate(parts)]
    answer = complete(client, upload)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made == {"sha256": sha(data), "bytes": len(data), "media_type": "image/png", "width": 7, "height": 5, "url": f"/v1/assets/{sha(data)}"}
    assert client.get(made["url"]).content == data
    assert complete(client, upload).json() == made  # again, the answer was lost
    assert client.ok("GET", f"/v1/uploads/{upload['id']}")["asset"] == made
    problem(send(client, upload, 1, parts[0]), 404)  # it is complete


def test_what_is_there_is_not_sent_again(api):
    data = fresh()
    made = put(api("manager"), data)
    upload = begin(api("annotator"), data)
    assert upload["asset"] == made and upload["parts"] == []
    assert complete(api("annotator"), upload).json() == made
    assert begin(api("annotator", "b"), data)["asset"] is None  # another tenant's is not there


def test_the_same_again_goes_on(api):
    client, data = api("annotator"), PARTS[0] + fresh()
    upload = begin(client, data)
    sent(client, upload, 1, data[:MIN])
    again = begin(client, data)
    assert again["id"] == upload["id"] and [p["n"] for p in again["parts"]] == [1]
    assert begin(api("manager"), data)["id"] != upload["id"]  # each person their own
    assert begin(client, data, whole=False)["id"] != upload["id"]
    sent(client, again, 2, data[MIN:])
    assert complete(client, again).json()["sha256"] == sha(data)


def test_one_small_part(api):
    upload = begin(api("annotator"), data := fresh(1))
    sent(api("annotator"), upload, 1, data)
    assert complete(api("annotator"), upload).json()["bytes"] == 1


def test_parts_that_are_not_what_they_say(api, server):
    client, data = api("annotator"), fresh()
    upload, before = begin(client, data), len(files(server, "uploads"))
    good = digest(data)["Repr-Digest"]
    for headers in ({}, {"Repr-Digest": "x"}, {"Repr-Digest": "sha-256=::"}, {"Repr-Digest": good[:-2] + ":"}, {"Repr-Digest": good + "x"},
                    {"Repr-Digest": good.replace("sha-256", "sha-512")}, {"Repr-Digest": good.replace(":", "")}, {"Digest": good}):
        problem(send(client, upload, 1, data, headers), 400)
    problem(send(client, upload, 1, fresh(), digest(data)), 422, "invalid")
    problem(send(client, upload, 1, data[:-1], digest(data)), 422, "invalid")
    problem(send(client, upload, 1, data + b"x"), 422)  # more than was announced
    assert client.ok("GET", f"/v1/uploads/{upload['id']}")["parts"] == [] and len(files(server, "uploads")) == before
    for headers in ({"Content-Digest": good}, {"Repr-Digest": f"md5=:AAAA:, {good}"}, {"Repr-Digest": f"{good},unixsum=:AA==:"}):
        assert send(client, upload, 1, data, headers).status_code == 200
    problem(send(client, upload, 1, fresh()), 409, "already-exists")
    assert [p["sha256"] for p in client.ok("GET", f"/v1/uploads/{upload['id']}")["parts"]] == [sha(data)]
    for n in ("0", "10001", "x", "-1", "1.5"):
        problem(send(client, upload, n, data), 404)


def test_a_part_has_its_largest_size(api):
    client = api("annotator")
    upload = client.ok("POST", "/v1/uploads", 201, json={"bytes": 1 << 30})
    large = bytes((64 << 20) + 1)
    try:
        assert send(client, upload, 1, large).status_code == 413
    except requests.ConnectionError:
        pass  # refused before it was read
    client.close()
    sent(client, upload, 1, large[1:])
    problem(complete(client, upload), 409)
    client.ok("DELETE", f"/v1/uploads/{upload['id']}", 204)


def test_a_part_of_more_than_was_announced_without_a_length(api, server):
    client, data = api("annotator"), fresh(300_000)
    upload = begin(client, data)
    overrun(server, lambda pieces: client.put(f"/v1/uploads/{upload['id']}/parts/1", data=pieces, headers=digest(data)), 422)
    client.close()
    sent(client, upload, 1, data)
    assert complete(client, upload).status_code == 201


@pytest.mark.parametrize("there, why", [((), "0 of "), ((2, 3), "part 1 is missing"), ((1, 3), "part 2 is missing"), ((1, 2), "bytes are there")])
def test_incomplete(api, there, why):
    client, parts = api("annotator"), [PARTS[0], PARTS[1], fresh()]
    upload = begin(client, b"".join(parts), whole=False)
    for n in there:
        sent(client, upload, n, parts[n - 1])
    assert why in problem(complete(client, upload), 409, "conflict")["detail"]


def test_a_small_part_that_is_not_the_last(api):
    client, parts = api("annotator"), [fresh(), fresh()]
    upload = begin(client, b"".join(parts), whole=False)
    for n, part in enumerate(parts):
        sent(client, upload, n + 1, part)
    assert "is not the last" in problem(complete(client, upload), 409)["detail"]


def test_a_whole_that_is_not_what_was_announced(api, server, db):
    client, data = api("annotator"), fresh()
    upload = client.ok("POST", "/v1/uploads", 201, json={"bytes": len(data), "sha256": sha(fresh())})
    sent(client, upload, 1, data)
    problem(complete(client, upload), 422, "invalid")
    assert [f for f in files(server, "assets") if sha(data) in f or upload["sha256"] in f] == []
    assert db.execute("SELECT count(*) FROM asset WHERE sha256 = decode(%s, 'hex')", (sha(data),)).fetchone() == (0,)


@pytest.mark.parametrize("body, pointer", [
    ({}, "/bytes"), ({"bytes": 0}, "/bytes"), ({"bytes": -1}, "/bytes"), ({"bytes": "1"}, "/bytes"), ({"bytes": (640000 << 20) + 1}, "/bytes"),
    ({"bytes": 1, "sha256": "x"}, "/sha256"), ({"bytes": 1, "sha256": 1}, "/sha256"), ({"bytes": 1, "x": 1}, "/x")])
def test_beginning_what_cannot_be(api, body, pointer):
    problem(api("annotator").post("/v1/uploads", json=body), 422, "invalid", pointer)


def test_of_somebody_else(api):
    upload = begin(api("annotator"), data := fresh())
    for other in (api("manager"), api("admin"), api("annotator", "b")):
        problem(other.get(f"/v1/uploads/{upload['id']}"), 404)
        problem(send(other, upload, 1, data), 404)
        problem(complete(other, upload), 404)
        problem(other.delete(f"/v1/uploads/{upload['id']}"), 404)


def test_not_too_many_at_once(api):
    client, made = api("qa"), []
    for _ in range(100):
        made.append(client.ok("POST", "/v1/uploads", 201, json={"bytes": 1}))
    problem(client.post("/v1/uploads", json={"bytes": 1}), 409)
    for upload in made:
        client.ok("DELETE", f"/v1/uploads/{upload['id']}", 204)
        problem(client.get(f"/v1/uploads/{upload['id']}"), 404)
    # given up: nothing is open any more, though upkeep has not come yet
    for _ in range(2):
        client.ok("POST", "/v1/uploads", 201, json={"bytes": 1})


def test_many_complete_it_at_once(api):
    client, parts = api("annotator"), [PARTS[0], fresh()]
    upload = begin(client, b"".join(parts))
    for n, part in enumerate(parts):
        sent(client, upload, n + 1, part)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(complete(stand.Client(client.url, "annotator"), upload))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.status_code for a in answers] == [201] * 4 and all(a.json() == answers[0].json() for a in answers)


def test_the_quota_holds(api, cluster, server, db):
    def quota(most):
        cluster.cli(server.database, "tenant", "quota", "b", "--bytes", str(most))
    client = api("manager", "b")
    used = next(q for q in api("admin", "b").ok("GET", "/v1/tenant/usage")["quotas"] if q["quota"] == "bytes")["used"]
    try:
        quota(used + 3000)
        problem(client.post("/v1/uploads", json={"bytes": 3001}), 403, "quota-exceeded")
        upload = begin(client, data := fresh(2000))
        body = problem(client.post("/v1/uploads", json={"bytes": 1001}), 403, "quota-exceeded")  # what is open counts
        assert body["quota"] == "bytes" and body["limit"] == used + 3000
        sent(client, upload, 1, data)
        quota(used + 1)
        problem(complete(client, upload), 403, "quota-exceeded")  # the last word is at the end
        assert client.ok("GET", f"/v1/uploads/{upload['id']}")["asset"] is None
        quota(used + 2000)
        assert complete(client, upload).json()["bytes"] == 2000
    finally:
        quota("none")


# ---- upkeep ----

def test_upkeep_removes_what_is_left(api, db, server):
    client, data = api("annotator"), fresh()
    done, dropped, abandoned, open = (begin(client, d) for d in (data, fresh(), fresh(), fresh()))
    for upload in (dropped, abandoned, open):
        problem(send(client, upload, 1, b"x", digest(b"y")), 422)
        sent(client, upload, 1, b"x" * 10)
    sent(client, done, 1, data)
    assert complete(client, done).status_code == 201
    client.ok("DELETE", f"/v1/uploads/{dropped['id']}", 204)
    db.execute("UPDATE upload SET touched_at = now() - interval '25 hours' WHERE id = ANY(%s)", ([abandoned["id"]],))

    def there(upload):
        return any(f"/{upload['id']}/" in f for f in files(server, "uploads"))
    assert all(there(u) for u in (done, dropped, abandoned, open))
    with upkeep(server):
        until(lambda: not any(there(u) for u in (done, dropped, abandoned)), 40)
        until(lambda: db.execute("SELECT count(*) FROM upload_part WHERE upload_id = ANY(%s)",
                                 ([u["id"] for u in (done, dropped, abandoned)],)).fetchone() == (0,))
        assert there(open) and client.get(f"/v1/assets/{sha(data)}").content == data
        assert complete(client, done).status_code == 201  # the answer stays for a day
        problem(client.get(f"/v1/uploads/{abandoned['id']}"), 404)
        db.execute("UPDATE upload SET touched_at = now() - interval '25 hours' WHERE id = ANY(%s)", ([u["id"] for u in (done, dropped)],))
        until(lambda: db.execute("SELECT count(*) FROM upload WHERE id = ANY(%s)",
                                 ([u["id"] for u in (done, dropped, abandoned)],)).fetchone() == (0,), 40)
    assert len(client.ok("GET", f"/v1/uploads/{open['id']}")["parts"]) == 1


# ---- death at every point ----

POINTS = ["blob.put.write", "blob.put.fsync", "blob.put.rename", "blob.put.fsync_dir", "part.stored", "upload.joined", "upload.committed"]
NTHS = {"upload.committed": (1,), "upload.joined": (1, 2, 3), "part.stored": (1, 2)}


@pytest.mark.parametrize("point, nth", [(point, nth) for point in POINTS for nth in NTHS.get(point, (1, 3, 4, 6))])
def test_kill_at(api, db, server, monkeypatch, alive, point, nth):
    client, parts = api("annotator"), [PARTS[0], PARTS[1], fresh()]
    data = b"".join(parts)
    upload = begin(client, data)
    server.kill()
    monkeypatch.setitem(stand.ENVIRONMENT, "ANNOTATE_FAULT", f"{point}:{nth + (4 if point == 'blob.put.fsync_dir' else 0)}:kill")
    server.start()
    monkeypatch.delitem(stand.ENVIRONMENT, "ANNOTATE_FAULT")
    acknowledged, order = set(), random.sample([1, 2, 3], 3)
    try:
        for n in order:
            if send(client, upload, n, parts[n - 1]).status_code == 200:
                acknowledged.add(n)
        complete(client, upload)
    except requests.RequestException:
        server.proc.wait(20)
        server.start()
    there = begin(client, data)
    if there["asset"] is None:
        assert there["id"] == upload["id"] and {p["n"] for p in there["parts"]} >= acknowledged
        assert db.execute("SELECT count(*) FROM asset WHERE sha256 = decode(%s, 'hex')", (sha(data),)).fetchone() == (0,)
        for n in {1, 2, 3} - {p["n"] for p in there["parts"]}:
            sent(client, upload, n, parts[n - 1])
    assert complete(client, there).json()["sha256"] == sha(data)
    assert client.get(f"/v1/assets/{sha(data)}").content == data


# ---- the tool ----

def test_the_tool_goes_on_where_it_was(api, server, tmp_path):
    """A file over 64 MiB goes in parts; what an earlier run has sent is not sent again."""
    client, part = api("manager"), 32 << 20
    data = png(7, 5) + os.urandom(2 * part + 12345)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "large.png").write_bytes(data)
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(client.headers["Authorization"].partition(" ")[2])
    upload = begin(client, data)
    sent(client, upload, 2, data[part:2 * part])
    [stored] = [f for f in files(server, "uploads") if f"/{upload['id']}/2." in f]
    before = os.stat(stored)
    project = api.project()
    command = [stand.BIN / "annotate", "import", "--server", server.url, "--token-file", token, "--project", str(project), tmp_path / "images"]
    for _ in range(2):  # the second run finds it there
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    after = os.stat(stored)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert client.ok("GET", f"/v1/uploads/{upload['id']}")["asset"]["sha256"] == sha(data)
    [task] = client.ok("GET", f"/v1/projects/{project}/tasks")["tasks"]
    assert task["data"]["image"] == f"/v1/assets/{sha(data)}"
    assert client.get(task["data"]["image"]).content == data
