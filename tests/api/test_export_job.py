"""Exports as jobs: the same bytes as streamed, kept, found again, cancelled, begun anew after kill -9, gone after a week."""
import hashlib
import json
import pathlib
import subprocess
import time

import pytest

import stand
from kit import Desk, problem, until
from release_env import export, finish, release
from stand import Worker

QUICK = {"review": {"mode": "none"}}


@pytest.fixture(scope="module", autouse=True)
def upkeep(start_worker):
    return start_worker("upkeep", poll_ms=20)


class Maker:
    """annotate-export, started and stopped as a test needs it."""

    def __init__(self, server):
        self.server, self.running = server, []

    def start(self, **settings):
        self.running.append(Worker("export", self.server, poll_ms=20, **settings))
        return self.running[-1]

    def halt(self):
        while self.running:
            self.running.pop().stop()


@pytest.fixture
def maker(server):
    made = Maker(server)
    yield made
    made.halt()


@pytest.fixture
def ready(api, maker):
    """A project with a release of 12 items."""
    desk = Desk(api, tasks=12, workflow=QUICK)
    finish(desk, 12)
    maker.start()
    desk.release = release(desk, protected=False)
    return desk


def order(desk, role="viewer", **body):
    return desk(role).ok("POST", f"/v1/releases/{desk.release['id']}/exports", 202, json=body)


def ended(desk, job, seconds=30):
    def state():
        return desk("viewer").ok("GET", f"/v1/exports/{job['id']}")
    until(lambda: state()["state"] not in ("waiting", "running"), seconds, "it does not end")
    return state()


def content(desk, job, **headers):
    return desk("viewer").get(f"/v1/exports/{job['id']}/content", headers={k.replace("_", "-"): v for k, v in headers.items()})


def objects(server):
    root = pathlib.Path(server.directory) / "blobs/exports"
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("body", [{}, {"format": "label-studio"}, {"format": "jsonl", "container": "tar"}, {"labelled": True, "container": "zip"},
                                  {"format": "webdataset", "container": "tar", "media": True}, {"format": "imagefolder", "media": True}])
def test_the_same_bytes_as_streamed(ready, body):
    job = ended(ready, order(ready, **body))
    assert (job["state"], job["done"], job["items"], job["error"]) == ("done", 12, 12, None)
    query = "&".join(f"{k}={str(v).lower()}" for k, v in body.items())
    streamed = ready("viewer").get(f"/v1/releases/{ready.release['id']}/export?{query}")
    got = content(ready, job)
    assert got.status_code == 200 and got.content == streamed.content
    assert got.headers["Content-Type"] == streamed.headers["Content-Type"]
    assert got.headers["Content-Disposition"] == streamed.headers["Content-Disposition"]
    assert job["bytes"] == len(got.content) and job["sha256"] == hashlib.sha256(got.content).hexdigest()


@pytest.mark.parametrize("body, suffix, refused", [({}, ".jsonl", None), ({"media": True}, ".zip", None), ({"format": "yolo"}, ".zip", None),
                                                   ({"media": True, "container": "file"}, None, "/container"),
                                                   ({"format": "yolo", "container": "file"}, None, "/container"),
                                                   ({"container": "rar"}, None, "/container"), ({"format": "xls"}, None, "/format")])
def test_the_same_is_asked_for_with_the_same_words(ready, body, suffix, refused):
    """Streamed or as a job: the same defaults, the same refusals."""
    release = f"/v1/releases/{ready.release['id']}"
    query = "&".join(f"{name}={str(value).lower() if value is True else value}" for name, value in body.items())
    streamed = ready("viewer").get(f"{release}/export?{query}")
    if refused:
        told = [problem(answer, 422, "invalid", refused)["detail"] for answer in (streamed, ready("viewer").post(f"{release}/exports", json=body))]
        assert told[0] == told[1]
        return
    made = content(ready, ended(ready, order(ready, **body)))
    assert streamed.status_code == made.status_code == 200 and streamed.content == made.content
    for answer in (streamed, made):
        assert answer.headers["Content-Disposition"].endswith(f'{suffix}"')


def test_parts_of_the_content(ready):
    job = ended(ready, order(ready))
    whole = content(ready, job).content
    part = content(ready, job, Range="bytes=10-19")
    assert part.status_code == 206 and part.content == whole[10:20] and part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert content(ready, job, Range="bytes=-5").content == whole[-5:]
    assert content(ready, job, Range=f"bytes={len(whole)}-").status_code == 416
    assert content(ready, job, If_None_Match=f'"{job["sha256"]}"').status_code == 304


def test_who_asks_for_the_same_gets_the_same(ready, db):
    job = ended(ready, order(ready))
    db.execute("UPDATE export_job SET expires_at = now() + interval '1 hour' WHERE id = %s", (job["id"],))
    again = order(ready, "manager")
    assert again["id"] == job["id"] and again["state"] == "done" and again["expires_at"] > job["created_at"]
    assert db.execute("SELECT expires_at > now() + interval '6 days' FROM export_job WHERE id = %s", (job["id"],)).fetchone()[0]
    assert order(ready, labelled=True)["id"] != job["id"] and order(ready, format="label-studio")["id"] != job["id"]
    listed = ready("viewer").ok("GET", f"/v1/releases/{ready.release['id']}/exports")["exports"]
    assert len(listed) == 3 and listed[-1]["id"] == job["id"]


def test_many_ask_at_once(ready):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(8) as pool:
        assert len({job["id"] for job in pool.map(lambda _: order(ready, container="tar"), range(16))}) == 1


@pytest.mark.parametrize("point", ["export.item:1", "export.item:9", "blob.put.write:1", "blob.put.fsync:1", "blob.put.rename:1", "export.stored:1"])
def test_kill_9_and_again(ready, maker, server, db, monkeypatch, point):
    """In the middle, while its object is stored, and after that, before its row says so."""
    maker.halt()
    job = order(ready)
    monkeypatch.setitem(stand.ENVIRONMENT, "ANNOTATE_FAULT", f"{point}:kill")
    dead = maker.start()
    monkeypatch.delitem(stand.ENVIRONMENT, "ANNOTATE_FAULT")
    until(lambda: dead.proc.poll() is not None, 20, "it lives")
    assert ready("viewer").ok("GET", f"/v1/exports/{job['id']}")["state"] == "running"
    problem(content(ready, job), 409, "conflict")
    db.execute("UPDATE export_job SET lease_until = now() - interval '1 second' WHERE id = %s", (job["id"],))
    maker.start()
    job = ended(ready, job)
    assert job["state"] == "done" and content(ready, job).content == export(ready, ready.release)
    assert [name.split("/")[1] for name in objects(server) if name.split("/")[1].startswith(f"{job['id']}-")] == [f"{job['id']}-2"]


def test_whoever_has_the_lease_may_live(ready, maker, server, db):
    """It is taken over when the lease has passed, and what the other one left is removed."""
    maker.halt()
    job = order(ready)
    db.execute("UPDATE export_job SET state = 'running', attempts = 1, done = 3, lease_until = now() + interval '1 hour' WHERE id = %s", (job["id"],))
    orphan = pathlib.Path(server.directory) / "blobs/exports"
    tenant = db.execute("SELECT tenant_id FROM export_job WHERE id = %s", (job["id"],)).fetchone()[0]
    (orphan / str(tenant)).mkdir(parents=True, exist_ok=True)
    (orphan / f"{tenant}/{job['id']}-1").write_bytes(b"half")
    maker.start()
    time.sleep(0.5)
    assert ready("viewer").ok("GET", f"/v1/exports/{job['id']}")["state"] == "running"  # whoever has the lease may live
    db.execute("UPDATE export_job SET lease_until = now() - interval '1 second' WHERE id = %s", (job["id"],))
    job = ended(ready, job)
    assert job["state"] == "done" and content(ready, job).content == export(ready, ready.release)
    assert f"{tenant}/{job['id']}-2" in objects(server) and f"{tenant}/{job['id']}-1" not in objects(server)


def test_five_deaths_are_enough(ready, maker, db):
    maker.halt()
    job = order(ready)
    db.execute("UPDATE export_job SET state = 'running', attempts = 5, lease_until = now() - interval '1 second' WHERE id = %s", (job["id"],))
    maker.start()
    job = ended(ready, job)
    assert job["state"] == "failed" and "five times" in job["error"]
    assert ended(ready, order(ready))["state"] == "done"  # a new one


def test_what_cannot_be_read_fails_and_says_so(ready, maker, server, db):
    maker.halt()
    pack, = db.execute("""SELECT l.pack::text FROM release_item i JOIN label_version l ON l.id = i.label_id WHERE i.release_id = %s LIMIT 1""",
                       (ready.release["id"],)).fetchone()
    lies, = [p for p in (pathlib.Path(server.directory) / "blobs/packs").rglob("*") if p.name == pack.replace("-", "")]
    kept = lies.read_bytes()
    lies.chmod(0o600)
    lies.write_bytes(bytes(b ^ 1 for b in kept))
    try:
        job = order(ready)
        maker.start()
        job = ended(ready, job)
    finally:
        lies.write_bytes(kept)
    assert job["state"] == "failed" and job["error"] and job["bytes"] is None
    problem(content(ready, job), 409, "conflict")
    assert not any(name.split("/")[1].startswith(f"{job['id']}-") for name in objects(server))


def test_a_release_that_is_not_whole_any_more_fails(ready, db):
    db.execute("DELETE FROM release_item WHERE release_id = %s AND task_id = %s", (ready.release["id"], ready.tasks[3]))
    job = ended(ready, order(ready))
    assert job["state"] == "failed" and "deleted" in job["error"]


def test_cancelling(ready, maker):
    maker.halt()
    job = order(ready)
    problem(content(ready, job), 409, "conflict")
    assert ready("viewer").delete(f"/v1/exports/{job['id']}").status_code == 204
    assert ready("viewer").ok("GET", f"/v1/exports/{job['id']}")["state"] == "cancelled"
    problem(ready("viewer").delete(f"/v1/exports/{job['id']}"), 409, "conflict")
    again = order(ready)
    assert again["id"] != job["id"]
    maker.start()
    assert ended(ready, again)["state"] == "done" and ended(ready, job)["state"] == "cancelled"


def test_after_a_week_it_is_gone(ready, server, db):
    job = ended(ready, order(ready))
    name = next(n for n in objects(server) if f"/{job['id']}-" in f"/{n.split('/')[1]}")
    db.execute("UPDATE export_job SET expires_at = now() - interval '1 second' WHERE id = %s", (job["id"],))
    until(lambda: ready("viewer").ok("GET", f"/v1/exports/{job['id']}")["state"] == "expired", 30, "it does not expire")
    assert name not in objects(server)
    problem(content(ready, job), 409, "conflict")
    anew = ended(ready, order(ready))
    assert anew["id"] != job["id"] and anew["sha256"] == job["sha256"]


def test_it_goes_with_its_release(ready, server, db):
    job = ended(ready, order(ready))
    assert ready("manager").delete(f"/v1/releases/{ready.release['id']}").status_code == 204
    problem(ready("viewer").get(f"/v1/exports/{job['id']}"), 404)
    problem(content(ready, job), 404)
    until(lambda: not db.execute("SELECT FROM release WHERE id = %s", (ready.release["id"],)).fetchall(), 30, "it is not taken away")
    assert not any(f"/{job['id']}-" in f"/{name.split('/')[1]}" for name in objects(server))


@pytest.mark.parametrize("body, pointer", [({"format": "xls"}, "/format"), ({"container": "rar"}, "/container"), ({"media": True, "container": "file"}, "/container"),
                                           ({"format": "yolo", "container": "file"}, "/container"), ({"media": 1}, "/media"), ({"zz": 1}, "/zz")])
def test_what_cannot_be_ordered(ready, body, pointer):
    problem(ready("viewer").post(f"/v1/releases/{ready.release['id']}/exports", json=body), 422, "invalid", pointer)


def test_the_command_line(ready, server, tmp_path):
    key = tmp_path / "token"
    key.write_text(ready("manager").ok("POST", "/v1/tokens", 201, json={"name": "cli"})["token"])

    def annotate(*words, ok=True):
        done = subprocess.run([stand.BIN / "annotate", "--server", server.url, "--token-file", key, *map(str, words)],
                              env=stand.ENVIRONMENT, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == ok, done.stderr
        return done.stdout
    number = ready.release["id"]
    (tmp_path / "out.jsonl.part").write_text("left of something else")
    annotate("export", "--release", number, "--format", "jsonl", "--out", tmp_path / "out.jsonl", "--job")
    assert (tmp_path / "out.jsonl").read_bytes() == export(ready, ready.release)
    annotate("export", "--release", number, "--format", "jsonl", "--dir", tmp_path / "out", "--job")
    assert (tmp_path / "out/EXPORT.json").exists() and len(list((tmp_path / "out").iterdir())) == 2
    made = json.loads(annotate("release", "create", "--project", ready.project, "--name", "by hand", "--filter", '{"field":"state","op":"eq","value":"done"}',
                               "--group-by", "data.image", "--licence", "CC0-1.0", "--salt", "x", "--wait"))
    assert made["state"] == "ready" and made["group_by"] == "data.image" and made["licence"] == "CC0-1.0" and made["filter"]
    text = annotate("release", "diff", number, made["id"])
    moved = sum(a["split"] != b["split"] for a, b in zip(*(map(json.loads, export(ready, r).splitlines()) for r in (ready.release, made))))
    assert text.splitlines()[-1].endswith(f"{moved} moved to another split") and len(text.splitlines()) == moved + 1
    assert json.loads(annotate("release", "diff", number, made["id"], "--json").splitlines()[-1])["counts"]["split"] == moved
    card = annotate("release", "card", made["id"])
    assert card.startswith("# by hand\n") and "CC0-1.0" in card and f"`{made['root']}`" in card and "| Split | Items |" in card
    assert json.loads(annotate("release", "card", made["id"], "--json", "--people"))["people"][0]["items"] == 12
    assert annotate("release", "delete", made["id"], ok=False) == ""
    assert json.loads(annotate("release", "unprotect", made["id"]))["protected"] is False
    assert json.loads(annotate("release", "protect", made["id"]))["protected"] is True
    annotate("release", "unprotect", made["id"])
    annotate("release", "delete", made["id"])
    annotate("release", "show", made["id"], ok=False)
    annotate("release", "create", "--project", ready.project, "--name", "x", "--filter", "{", ok=False)
