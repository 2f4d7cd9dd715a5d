"""Keeping the storage: what nothing needs goes and nothing else, small packs become one, whatever is killed when (I1, I6)."""
import json
import os
import subprocess
import threading
import time

import pytest

import stand
from kit import Desk, broken_rules, choice, until

DAY = 24 * 3600


def storage(server, *words, status=0, **environment):
    """`annotate storage WORDS…`; its line of JSON. status None: whether it was killed."""
    done = subprocess.run([stand.BIN / "annotate", "--db-worker", server.cluster.conninfo(server.database, "annotate_worker"),
                           "--blobs", server.blobs, "storage", *map(str, words)], env=stand.ENVIRONMENT | environment,
                          capture_output=True, text=True, timeout=120, check=False)
    assert not stand.CRASH.search(done.stderr), done.stderr
    if status is None:
        assert done.returncode in (0, -9), done.stdout + done.stderr
        return done.returncode == -9
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def objects(server, kind="packs"):
    root = server.directory / "blobs" / kind
    return sorted(p for p in root.rglob("*") if p.is_file())


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def orphan(server, kind, name, seconds, tenant=1):
    path = server.directory / "blobs" / kind / str(tenant) / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left over")
    age(path, seconds)
    return path


def dead(db):
    return db.execute("SELECT count(*) FROM pack WHERE dead_at IS NOT NULL").fetchone()[0]


def collect(db, server, *words):
    """Until all that is dead is gone: whatever transaction runs anywhere in the cluster holds it back."""
    until(lambda: (storage(server, "gc", *words), dead(db))[1] == 0, 30)


def work(api, n, **settings):
    """n submissions, a pack each; the label ids and what was said."""
    desk = Desk(api, tasks=n, workflow={"review": {"mode": "none"}}, **settings)
    said = {}
    for i in range(n):
        value = "cat" if i % 3 else "dog"
        said[desk.annotate(value=value)["label"]["id"]] = choice(value)
    return desk, said


@pytest.fixture(scope="module", autouse=True)
def old_enough(server):
    """Nothing here is so old that the default grace period is over, unless a test says so."""
    yield
    storage(server, "gc", "--grace", 0)


def test_what_nothing_needs_goes_and_nothing_else(api, db, server):
    desk, said = work(api, 3)
    asset = desk("annotator").ok("POST", "/v1/assets", 201, data=b"an asset that has a row")["sha256"]
    kept = set(objects(server)) | set(objects(server, "assets"))
    for path in kept:
        age(path, 10 * DAY)
    old = [orphan(server, "packs", "ab" * 16, 2 * DAY), orphan(server, "assets", "cd" * 32, 2 * DAY),
           orphan(server, "packs", "ef" * 16, 2 * DAY, tenant=4711)]  # of a tenant that is gone
    young = [orphan(server, "packs", "12" * 16, 60), orphan(server, "assets", "34" * 32, 60)]
    strange = [orphan(server, "packs", "not-a-pack", 9 * DAY), orphan(server, "exports", "ab" * 32, 9 * DAY)]
    temporary = server.directory / "blobs/.tmp" / ("0" * 32)
    temporary.write_bytes(b"an upload that was given up")
    age(temporary, 2 * DAY)

    told = storage(server, "gc", "--dry-run")
    assert (told["packs"], told["media"], told["removed"]) == (2, 1, 0) and all(p.exists() for p in old)
    done = storage(server, "gc")
    assert (done["packs"], done["media"]) == (2, 1), done
    collect(db, server)
    assert not any(p.exists() for p in old) and all(p.exists() for p in (*young, *strange, *kept))
    assert not temporary.exists()
    again = storage(server, "gc")
    assert (again["packs"], again["media"], again["removed"]) == (0, 0, 0)
    assert dead(db) == 0 and all(desk.result(label) == result for label, result in said.items())
    assert desk("viewer").get(f"/v1/assets/{asset}").content == b"an asset that has a row"
    for path in (*young, *strange):
        path.unlink()


def test_media_that_are_stored_anew_are_young(api, server):
    desk = Desk(api)
    content = b"uploaded, lost, uploaded again"
    asset = desk("annotator").ok("POST", "/v1/assets", 201, data=content)["sha256"]
    path = next(p for p in objects(server, "assets") if p.name == asset)
    age(path, 2 * DAY)
    with server.cluster.connect(server.database) as c:
        c.execute("DELETE FROM asset WHERE sha256 = decode(%s, 'hex')", (asset,))
    assert storage(server, "gc", "--dry-run")["media"] == 1
    desk("annotator").ok("POST", "/v1/assets", 201, data=content)
    assert storage(server, "gc")["media"] == 0 and path.read_bytes() == content


def test_a_pack_whose_row_nothing_refers_to(db, api, server):
    """Such as that of an import whose labels were all known."""
    work(api, 1)
    path = orphan(server, "packs", "77" * 16, 3 * DAY)
    db.execute("""INSERT INTO pack (tenant_id, id, bytes, documents, created_at)
        VALUES (1, %s, 9, 1, now() - interval '3 days')""", ("77" * 16,))
    used = "SELECT sum(delta) FROM usage WHERE tenant_id = 1 AND name = 'labels'"
    before = db.execute(used).fetchone()[0]
    assert storage(server, "gc")["packs"] == 1 and path.exists() and dead(db) == 1
    assert db.execute(used).fetchone()[0] == before - 9
    db.execute("UPDATE pack SET dead_at = dead_at - interval '25 h' WHERE dead_at IS NOT NULL")
    collect(db, server)
    assert not path.exists()


def test_a_dead_pack_that_is_referred_to_lives_again(db, api, server):
    desk, said = work(api, 1)
    db.execute("UPDATE pack SET dead_at = now() - interval '2 days', dead_xid = pg_current_xact_id() WHERE bytes > 0")
    collect(db, server)
    assert [desk.result(label) for label in said] == list(said.values())


def test_what_somebody_may_still_see_stays(db, api, server):
    """A transaction that was under way when a pack died holds it back, however short the grace period."""
    orphan(server, "packs", "99" * 16, 3 * DAY)
    with server.cluster.connect(server.database) as other:
        other.execute("BEGIN")
        other.execute("SELECT pg_current_xact_id()")
        assert storage(server, "gc", "--grace", 0)["removed"] == 0 and dead(db) == 1
        other.execute("COMMIT")
    collect(db, server, "--grace", 0)


@pytest.mark.parametrize("point", ["collect.marked", "collect.claimed", "blob.remove", "collect.removed"])
def test_kill_the_collection(db, api, server, point):
    desk, said = work(api, 2)
    left = [orphan(server, "packs", f"{i:032x}", 2 * DAY) for i in range(0xa0, 0xa5)]
    fault = f"{point}:{5 if point == 'blob.remove' else 1}:kill"
    until(lambda: storage(server, "gc", status=None, ANNOTATE_FAULT=fault), 30, "the fault point was not passed")
    assert broken_rules(db, server.directory / "blobs") == []
    collect(db, server)
    assert not any(p.exists() for p in left)
    assert all(desk.result(label) == result for label, result in said.items())


def old_packs(db):
    db.execute("UPDATE pack SET created_at = created_at - interval '1 h'")


def live_packs(db):
    return db.execute("SELECT count(*) FROM pack WHERE dead_at IS NULL").fetchone()[0]


def test_small_packs_become_one(db, api, server, start_worker):
    desk, said = work(api, 40)
    before, rows = live_packs(db), db.execute("SELECT id, sha256, seq, parent FROM label_version ORDER BY id").fetchall()
    used = db.execute("SELECT sum(delta) FROM usage WHERE tenant_id = 1 AND name = 'labels'").fetchone()
    assert before >= 40
    old_packs(db)
    upkeep = start_worker("upkeep", poll_ms=20)
    until(lambda: live_packs(db) == 1, 30)
    assert dead(db) == before and len(objects(server)) > 40  # readers that looked a place up find it still
    assert db.execute("SELECT id, sha256, seq, parent FROM label_version ORDER BY id").fetchall() == rows
    assert broken_rules(db, server.directory / "blobs") == []
    assert db.execute("SELECT sum(delta) FROM usage WHERE tenant_id = 1 AND name = 'labels'").fetchone() == used
    db.execute("UPDATE pack SET dead_at = dead_at - interval '2 days' WHERE dead_at IS NOT NULL")
    until(lambda: dead(db) == 0, 30)
    assert len(objects(server)) == 1 and all(desk.result(label) == result for label, result in said.items())
    upkeep.kill()


class Reader(threading.Thread):
    """Reads labels one after the other until it is told to stop."""

    def __init__(self, server, said):
        super().__init__()
        self.client, self.said, self.stop, self.rounds, self.wrong = stand.Client(server.url, "viewer"), said, False, 0, []

    def run(self):
        while not self.stop:
            for label, result in self.said.items():
                answer = self.client.get(f"/v1/labels/{label}")
                if answer.status_code != 200 or answer.json()["result"] != result:
                    self.wrong.append((label, answer.status_code, answer.text))
            self.rounds += 1


def test_who_reads_meanwhile_does_not_notice(db, api, server, start_worker):
    """Two workers merge at once, too."""
    _, said = work(api, 40)
    readers = [Reader(server, said) for _ in range(2)]
    for reader in readers:
        reader.start()
    old_packs(db)
    before = live_packs(db)
    workers = [start_worker("upkeep", poll_ms=20) for _ in range(2)]
    until(lambda: live_packs(db) < before - 30, 30)
    rounds = [reader.rounds for reader in readers]
    until(lambda: all(reader.rounds > n + 1 for reader, n in zip(readers, rounds)), 60)  # once more after it, from the beginning
    for reader in readers:
        reader.stop = True
    for reader in readers:
        reader.join(60)
    for worker in workers:
        worker.kill()
    assert [reader.wrong for reader in readers] == [[], []]
    collect(db, server, "--grace", 0)
    assert len(objects(server)) == live_packs(db)


def test_a_pack_that_is_broken_is_left_alone(db, api, server, start_worker):
    desk, said = work(api, 40)
    label = min(said)
    pack = db.execute("SELECT pack FROM label_version WHERE id = %s", (label,)).fetchone()[0]
    path = next(p for p in objects(server) if p.name == pack.hex)
    good = path.read_bytes()
    path.write_bytes(good.replace(b"dog", b"cow"))
    old_packs(db)
    upkeep = start_worker("upkeep", poll_ms=20)
    until(lambda: live_packs(db) <= 3, 30)
    assert db.execute("SELECT pack FROM label_version WHERE id = %s", (label,)).fetchone()[0] == pack
    assert db.execute("SELECT failed_at IS NOT NULL, dead_at IS NULL FROM pack WHERE id = %s", (pack,)).fetchone() == (True, True)
    assert "is left as it is" in upkeep.text()
    upkeep.kill()
    path.write_bytes(good)
    assert all(desk.result(other) == result for other, result in said.items())


@pytest.mark.parametrize("point", ["blob.put.write", "blob.put.fsync", "blob.put.rename", "blob.put.fsync_dir", "merge.packed", "merge.applied"])
def test_kill_the_merge(db, api, server, start_worker, monkeypatch, point):
    desk, said = work(api, 40)
    old_packs(db)
    before = live_packs(db)
    # opening the store passes fsync_dir once, the way to a new pack three times: the fifth is after its rename
    monkeypatch.setitem(stand.ENVIRONMENT, "ANNOTATE_FAULT", f"{point}:{5 if point == 'blob.put.fsync_dir' else 1}:kill")
    upkeep = start_worker("upkeep", poll_ms=20)
    assert upkeep.proc.wait(60) == -9, "the fault point was not passed"
    monkeypatch.delitem(stand.ENVIRONMENT, "ANNOTATE_FAULT")
    assert broken_rules(db, server.directory / "blobs") == []
    assert all(desk.result(label) == result for label, result in said.items())
    upkeep.start()
    until(lambda: live_packs(db) < before - 30, 30)
    assert broken_rules(db, server.directory / "blobs") == []
    upkeep.kill()
    collect(db, server, "--grace", 0)
    assert all(desk.result(label) == result for label, result in said.items())
    assert len(objects(server)) == live_packs(db)  # nothing is left over


# ---- hashing everything again ----

def findings(server):
    """What `storage status` shows; its exit status says whether there is any."""
    done = subprocess.run([stand.BIN / "annotate", "--db-worker", server.cluster.conninfo(server.database, "annotate_worker"),
                           "storage", "status"], env=stand.ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    *found, summary = map(json.loads, done.stdout.splitlines())
    assert summary["findings"] == len(found) and done.returncode == (1 if found else 0), done.stderr
    return sorted((f["kind"], f["id"], f["what"]) for f in found)


def flip(path, at):
    """One bit."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_scrub_finds_what_is_not_as_it_was(db, api, server):
    desk, said = work(api, 3)
    assets = [desk("annotator").ok("POST", "/v1/assets", 201, data=bytes([i]) * n)["sha256"]
              for i, n in enumerate((1, 3 << 20, 1 << 20))]
    whole = storage(server, "scrub", "--once")
    labels, media = (db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("label_version", "asset"))
    size = db.execute("SELECT (SELECT sum(bytes) FROM label_version) + (SELECT sum(bytes) FROM asset)").fetchone()[0]
    assert whole == {"labels": labels, "media": media, "bytes": size, "findings": 0} and findings(server) == []

    first, second, third = sorted(said)
    place = {label: db.execute("SELECT pack, pack_off FROM label_version WHERE id = %s", (label,)).fetchone() for label in said}
    pack = {label: next(p for p in objects(server) if p.name == place[label][0].hex) for label in said}
    file = {name: next(p for p in objects(server, "assets") if p.name == name) for name in assets}
    good = {path: path.read_bytes() for path in (*pack.values(), *file.values())}
    flip(pack[first], place[first][1] + 5)
    pack[second].unlink()
    flip(file[assets[1]], (3 << 20) - 1)
    file[assets[2]].write_bytes(b"cut")
    expected = sorted([("label", str(first), "corrupt"), ("label", str(second), "missing"),
                       ("asset", assets[1], "corrupt"), ("asset", assets[2], "corrupt")])
    assert storage(server, "scrub", "--once", status=1)["findings"] == 4
    assert findings(server) == expected
    assert desk("viewer").get(f"/v1/labels/{first}").status_code == 500  # a read finds it, too
    assert desk.result(third) == said[third]

    for path, content in good.items():
        path.write_bytes(content)
    assert storage(server, "scrub", "--once")["findings"] == 0 and findings(server) == []


def test_upkeep_scrubs_at_its_rate_and_goes_on_where_it_was(db, api, server, start_worker):
    desk, _ = work(api, 1)
    assets = [desk("annotator").ok("POST", "/v1/assets", 201, data=bytes([100 + i]) * (2 << 20))["sha256"] for i in range(3)]
    last = max(assets)
    path = next(p for p in objects(server, "assets") if p.name == last)
    good = path.read_bytes()
    flip(path, 1 << 20)
    upkeep = start_worker("upkeep", poll_ms=20, scrub_rate_kb=2048)
    begun = time.monotonic()
    place = "SELECT position->>'after' FROM reader_position WHERE name = 'scrub'"
    until(lambda: "asset" in ((db.execute(place).fetchone() or [""])[0]), 30)
    upkeep.kill()
    reached = db.execute(place).fetchone()[0]
    upkeep.start()
    until(lambda: findings(server) == [("asset", last, "corrupt")], 60)
    assert time.monotonic() - begun > 1.5 and f"{last} is corrupt" in upkeep.text()
    assert reached.split()[0] == "asset"
    upkeep.kill()
    path.write_bytes(good)
    storage(server, "scrub", "--once")
    assert findings(server) == []
