"""A whole server on S3 blob storage: media in and out, labels, the copy from a directory, and a service that fails."""
import hashlib
import json
import subprocess

import pytest

import s3
import stand
from kit import Desk, choice, problem, until
from release_env import export, release
from stand import BIN, Office, Server, Worker

pytestmark = pytest.mark.skipif(s3.MISSING is not None, reason=f"no S3 service: {s3.MISSING}")

BIG = bytes(range(256)) * 4096 * 10 + b"the end"  # two parts


@pytest.fixture(scope="module")
def bucket():
    service = s3.Service()
    yield service
    service.stop()


def on_s3(cluster, name, bucket, spec, **settings):
    server = Server(cluster, name, blobs=spec, **bucket.settings, **settings)
    server.blobs = spec
    return server


@pytest.fixture(scope="module")
def remote(cluster, bucket):
    """An office on a server whose blobs lie under `whole/` of the bucket."""
    name = cluster.database()
    server = on_s3(cluster, name, bucket, bucket.spec("whole"))
    office = Office(server)
    yield office
    server.stop()
    cluster.drop(name)


def upload(client, content):
    return client.ok("POST", "/v1/assets", 201, data=content, headers={"Content-Type": "application/octet-stream"})


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + b"\0" * 100, BIG], ids=["small", "parts"])
def test_media(remote, bucket, content):
    client = remote("annotator")
    asset = upload(client, content)
    name = hashlib.sha256(content).hexdigest()
    assert asset["sha256"] == name and asset["bytes"] == len(content)
    assert f"whole/assets/1/{name[:2]}/{name}" in bucket.objects("whole/assets/")
    assert bucket.objects("whole/uploads/") == []
    whole = client.get(asset["url"])
    assert whole.status_code == 200 and whole.content == content
    assert whole.headers["ETag"] == f'"{name}"' and "immutable" in whole.headers["Cache-Control"]
    n = len(content)
    for header, a, b in [("0-9", 0, 10), ("-5", n - 5, n), (f"{n - 1}-", n - 1, n), ("50-", 50, n), ("3-3", 3, 4)]:
        part = client.get(asset["url"], headers={"Range": f"bytes={header}"})
        assert part.status_code == 206 and part.content == content[a:b]
        assert part.headers["Content-Range"] == f"bytes {a}-{b - 1}/{n}"
    assert client.get(asset["url"], headers={"Range": f"bytes={n}-"}).status_code == 416
    assert client.get(asset["url"], headers={"If-None-Match": f'"{name}"'}).status_code == 304


def test_labels_to_an_export(remote, bucket, cluster):
    desk = Desk(remote, tasks=3, workflow={"review": {"mode": "none"}, "qa": {"percent": 0}})
    for _ in desk.tasks:
        desk.annotate(value="cat")
    assert [desk.state(t) for t in desk.tasks] == ["done"] * 3
    assert all(desk.result(desk.task(t)["head_label"]) == choice("cat") for t in desk.tasks)
    assert len(bucket.objects("whole/packs/")) >= 1
    builder = Worker("export", remote.server, poll_ms=20, **bucket.settings)
    try:
        made = release(desk, "on s3")
        streamed = export(desk, made)
        viewer = desk("viewer")
        job = viewer.ok("POST", f"/v1/releases/{made['id']}/exports", 202, json={"format": "jsonl"})
        until(lambda: viewer.ok("GET", f"/v1/exports/{job['id']}")["state"] == "done", 30, "the export is not made")
    finally:
        builder.stop()
    lines = [json.loads(line) for line in streamed.splitlines()]
    content = f"/v1/exports/{job['id']}/content"
    whole, part = viewer.get(content), viewer.get(content, headers={"Range": "bytes=5-9"})
    assert whole.status_code == 200 and whole.content == (streamed if isinstance(streamed, bytes) else streamed.encode())
    assert "attachment" in whole.headers["Content-Disposition"]
    assert part.status_code == 206 and part.content == whole.content[5:10]
    for key in bucket.objects("whole/exports/"):
        bucket.raw("DELETE", key)
    problem(viewer.get(content), 404)
    assert [line["task"] for line in lines] == desk.tasks
    assert all(line["label"]["result"] == choice("cat") for line in lines)


def test_erasure(remote, bucket):
    """Out of packs, whole copies of them and media, as from a directory."""
    desk = Desk(remote, tasks=0, workflow={"review": {"mode": "none"}})
    asset = upload(desk("manager"), b"a picture to be erased")
    label = {"result": choice("dog")}
    made = remote.tasks(desk.project, [{"data": {"image": asset["url"]}, "annotations": [label]}, {"data": {"image": "/2.png"}, "annotations": [label]}])
    gone, stays = desk.tasks = made["first_id"], made["last_id"]
    before = desk.labels(stays)[0]["id"]
    order = desk("manager").ok("POST", f"/v1/tasks/{gone}/erase", 202, json={"reason": "asked"}, version=desk.task(gone)["version"])
    upkeep = Worker("upkeep", remote.server, poll_ms=20, **bucket.settings)
    try:
        until(lambda: desk("manager").ok("GET", f"/v1/erasures/{order['id']}")["state"] == "done", 60, "it is not erased")
    finally:
        upkeep.stop()
    assert not [key for key in bucket.objects("whole/assets/") if asset["sha256"] in key]
    packs = b"".join(bucket.raw("GET", key)[1] for key in bucket.objects("whole/packs/"))
    assert packs.count(b'"dog"') == 1 and desk.result(before) == choice("dog")
    assert desk("viewer").get(f"/v1/labels/{desk.labels(gone)[0]['id']}").status_code == 410


def test_lost_media_are_an_error(remote, bucket):
    client = remote("annotator")
    asset = upload(client, b"soon gone")
    name = asset["sha256"]
    bucket.raw("DELETE", f"whole/assets/1/{name[:2]}/{name}")
    answer = client.get(asset["url"])
    assert answer.status_code == 500 and answer.json()["type"].endswith("corrupt")
    assert "immutable" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize("fault", ["500.99.put", "timeout.99.put", "etag.99.put", "reset.99.put", "403.99.put"])
def test_no_row_without_its_object(cluster, bucket, fault):
    """An upload that the storage does not take is an error, and leaves no row (I6)."""
    name = cluster.database()
    server = on_s3(cluster, name, bucket, bucket.spec(f"fault.{fault}.server", tries=2, timeout_s=1))
    try:
        client = Office(server)("annotator")
        answer = client.post("/v1/assets", data=b"lost", headers={"Content-Type": "application/octet-stream"})
        assert answer.status_code in (500, 503)
        with cluster.connect(name) as db:
            assert db.execute("SELECT count(*) FROM asset").fetchone() == (0,)
        assert "blob_s3" in server.text() and s3.SECRET not in server.text() and "Signature=" not in server.text()
    finally:
        server.stop()
        cluster.drop(name)


# ---- annotate storage copy


def copy(server, bucket, to, *words):
    conninfo = server.cluster.conninfo(server.database, "annotate_worker")
    done = subprocess.run([BIN / "annotate", "--db-worker", conninfo, *(w for k, v in bucket.settings.items() for w in
                                                                        (f"--{k.replace('_', '-')}", v)),
                           "storage", "copy", "--from", server.blobs, "--to", to, *words],
                          env=stand.ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    assert not stand.CRASH.search(done.stderr), done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


@pytest.fixture(scope="module")
def filled(api):
    """A server on a directory with two tenants' media and labels."""
    for tenant in stand.TENANTS:
        upload(api("annotator", tenant), b"media of " + tenant.encode())
        project = api.project(tenant=tenant)
        api.tasks(project, [{"data": {"image": "/1.png"}, "predictions": [{"model_version": "m", "result": [
            {"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": ["dog"]}}]}]}], tenant=tenant)
    upload(api("annotator"), BIG)
    return api.server


def files(server, kind):
    return {str(p.relative_to(server.directory / "blobs")): p for p in (server.directory / "blobs" / kind).rglob("*") if p.is_file()}


def test_copy(filled, bucket):
    want = files(filled, "assets") | files(filled, "packs")
    code, sums, err = copy(filled, bucket, bucket.spec("copied"))
    assert code == 0, err
    assert sums == {"objects": len(want), "copied": len(want), "present": 0, "failed": 0,
                    "bytes": sum(p.stat().st_size for p in want.values())}
    assert sorted(bucket.objects("copied/")) == sorted(f"copied/{k}" for k in want)
    for key, path in want.items():
        assert bucket.raw("GET", f"copied/{key}")[1] == path.read_bytes()
    code, sums, _ = copy(filled, bucket, bucket.spec("copied"))
    assert code == 0 and (sums["copied"], sums["present"], sums["bytes"]) == (0, len(want), 0)
    # What is missing there, or wrong although of the right size, is copied again; the rest is not.
    keys = sorted(want)
    bucket.raw("DELETE", f"copied/{keys[0]}")
    for key in (keys[1], keys[-1]):
        bucket.raw("PUT", f"copied/{key}", b"x" * want[key].stat().st_size)
    code, sums, _ = copy(filled, bucket, bucket.spec("copied"))
    assert code == 0 and sums["copied"] == 3
    for key, path in want.items():
        assert bucket.raw("GET", f"copied/{key}")[1] == path.read_bytes()


def test_copied_storage_serves(filled, cluster, bucket):
    copy(filled, bucket, bucket.spec("served"))
    server = on_s3(cluster, filled.database, bucket, bucket.spec("served"), token_key_file=filled.directory / "token.key")
    try:
        client = Office(server)("annotator")
        assert client.get(f"/v1/assets/{hashlib.sha256(BIG).hexdigest()}").content == BIG
    finally:
        server.stop()


def test_copy_refuses_what_is_corrupt(filled, bucket):
    path = next(iter(files(filled, "assets").values()))
    lost = sorted(files(filled, "packs").values())[0]
    content, pack = path.read_bytes(), lost.read_bytes()
    try:
        path.chmod(0o600)
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        lost.unlink()
        code, sums, err = copy(filled, bucket, bucket.spec("corrupt"))
    finally:
        path.write_bytes(content)
        lost.write_bytes(pack)
    assert code == 1 and sums["failed"] == 2
    assert "is not what was stored" in err and "is missing" in err
    assert not any(path.name in k for k in bucket.objects("corrupt/"))
    assert sums["copied"] == sums["objects"] - 2


@pytest.mark.parametrize("fault", ["503.1.put", "flip.1.put", "reset.1.part", "error200.1.complete", "reset.1.copy"])
def test_copy_with_faults(filled, bucket, fault):
    want = files(filled, "assets") | files(filled, "packs")
    prefix = f"fault.{fault}.copy"
    code, sums, err = copy(filled, bucket, bucket.spec(prefix, tries=3, timeout_s=2))
    assert code == 0 and sums["failed"] == 0, err
    assert sorted(bucket.objects(f"{prefix}/")) == sorted(f"{prefix}/{k}" for k in want)


def test_copy_is_taken_up_again(filled, bucket):
    prefix = "fault.500.3.put.again"
    code, sums, err = copy(filled, bucket, bucket.spec(prefix, tries=3, timeout_s=2))
    assert code == 1 and "run it again" in err
    code, sums, err = copy(filled, bucket, bucket.spec(prefix, tries=3, timeout_s=2))
    assert code == 0 and sums["failed"] == 0, err


def test_storage_unit_tests(bucket):
    """The same tests of blobs and packs that hold for a directory."""
    for noun in ("blob.c", "pack.c"):
        beside = {"TEST_BLOBS": "s3", "TEST_S3": bucket.spec(), "TEST_S3_KEYS": str(bucket.keys)}
        done = subprocess.run([BIN / "unit", noun], env=stand.ENVIRONMENT | beside, capture_output=True, text=True, timeout=300, check=False)
        last = done.stdout.strip().splitlines()[-1]
        assert done.returncode == 0 and ", 0 failed" in last and int(last.split()[0]) >= 3, done.stdout + done.stderr[-2000:]
