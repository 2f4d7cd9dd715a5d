"""Death at every point: the server's, the database's connections', the client's. What was answered 2xx is there afterwards (I1),
what was not can be sent again and counts once, and every document matches its hash (I6)."""
import subprocess
import threading
import time

import psycopg
import pytest

import stand
from kit import Desk, Line, broken_rules, choice, people, problem, until

POINTS = ["blob.put.write", "blob.put.fsync", "blob.put.rename", "blob.put.fsync_dir", "submit.packed", "submit.applied"]
AT_START = {"blob.put.fsync_dir": 4}  # so often a start passes it
PEOPLE, ONE_BY_ONE = 12, 4


@pytest.fixture(autouse=True)
def alive(server):
    """What one test has broken the next one does not inherit."""
    if server.proc.poll() is not None:
        server.start()


def restart(server, monkeypatch=None, **environment):
    """kill -9 and start again; with variables for this life of it."""
    if server.proc.poll() is None:
        server.kill()
    for name, value in environment.items():
        monkeypatch.setitem(stand.ENVIRONMENT, name, value)
    server.start()
    for name in environment:
        monkeypatch.delitem(stand.ENVIRONMENT, name)


def submit(line, work, document):
    line.send("POST", f"/v1/assignments/{work['id']}/submit", {"result": document}, work["version"])


def answer(line):
    """The answer, or None when the server has gone."""
    try:
        return line.answer()
    except (ConnectionError, TimeoutError):
        return None


def send(line, work, document):
    try:
        submit(line, work, document)
        return answer(line)
    except OSError:
        return None


@pytest.mark.parametrize("nth", [1, 3, 5])
@pytest.mark.parametrize("point", POINTS)
def test_kill_at(db, server, api, monkeypatch, point, nth):
    desk = Desk(api, tasks=PEOPLE, workflow={"review": {"mode": "none"}})
    members = people(db, server, api, desk.project, PEOPLE)
    work, documents = [], [choice("cat" if n % 2 else "dog") for n in range(PEOPLE)]
    for _, token in members:
        line = Line(server, token)
        work.append(line.call("POST", f"{desk.path}/claims", {"stage": "annotate"})[1]["assignments"][0])
        line.close()

    restart(server, monkeypatch, ANNOTATE_FAULT=f"{point}:{AT_START.get(point, 0) + nth}:kill")
    lines = [Line(server, token) for _, token in members]
    answers = [send(line, w, d) for line, w, d in zip(lines[:ONE_BY_ONE], work, documents)]
    try:
        for line, w, d in zip(lines[ONE_BY_ONE:], work[ONE_BY_ONE:], documents[ONE_BY_ONE:]):
            submit(line, w, d)
    except OSError:
        pass
    answers += [answer(line) for line in lines[ONE_BY_ONE:]]
    assert server.proc.wait(10) == -9, "the fault point was not passed"
    assert None in answers and {a[0] for a in answers if a} <= {200}
    acknowledged = {n: a[1] for n, a in enumerate(answers) if a}
    if point not in AT_START:  # there one submit passes it more than once
        assert len(acknowledged) >= min(nth - 1, ONE_BY_ONE)

    restart(server)
    assert broken_rules(db, server.directory / "blobs") == []
    for n, body in acknowledged.items():
        assert body["task"]["state"] == "done" and desk.result(body["label"]["id"]) == documents[n]
    for n, (_, token) in enumerate(members):  # everybody sends it again
        line = Line(server, token)
        submit(line, work[n], documents[n])
        status, body = line.answer()
        line.close()
        assert status == 200 and body == acknowledged.get(n, body)
        assert [label["kind"] for label in desk.labels(work[n]["task"]["id"])] == ["submission"]
        assert desk.result(body["label"]["id"]) == documents[n]
    assert desk.progress()["tasks"]["done"] == PEOPLE


@pytest.mark.parametrize("point", [p for p in POINTS if p != "submit.applied"])
def test_a_disk_that_fails(api, server, monkeypatch, point):
    desk = Desk(api)
    work = desk.claim("annotator")
    restart(server, monkeypatch, ANNOTATE_FAULT=f"{point}:{AT_START.get(point, 0) + 1}:err")
    failed = desk.act("annotator", work, "submit", {"result": choice("cat")})
    assert failed.status_code in (500, 503), failed.text
    assert desk.labels() == [] and desk.task()["version"] == 1
    assert desk.submit("annotator", work)["task"]["state"] == "review"
    restart(server)


def test_kill_between_claims(db, server, api):
    """A claim whose answer was lost is repeated safely: the lease comes back."""
    desk = Desk(api, tasks=3)
    before = desk.claims("annotator", count=2)
    restart(server)
    assert [(w["id"], w["version"]) for w in desk.claims("annotator", count=2)] == [(w["id"], w["version"]) for w in before]
    assert len(desk.claims("annotator2", count=3)) == 1


# ---- the database's connections ----

class Worker(threading.Thread):
    """Claims and submits till nothing is left; on 503 the very same request again."""

    def __init__(self, server, desk, token):
        super().__init__()
        self.line, self.desk, self.seen, self.done, self.problem = Line(server, token), desk, {}, [], None

    def ask(self, *words):
        deadline = time.monotonic() + 60
        while True:
            status, body = self.line.call("POST", *words)
            self.seen[status] = self.seen.get(status, 0) + 1
            if status != 503:
                return status, body
            assert time.monotonic() < deadline, "503 for a minute"
            time.sleep(0.05)

    def run(self):
        try:
            while got := self.ask(f"{self.desk.path}/claims", {"stage": "annotate"})[1]["assignments"]:
                status, body = self.ask(f"/v1/assignments/{got[0]['id']}/submit", {"result": choice("cat")}, got[0]["version"])
                assert status == 200, body
                self.done.append(body["label"]["id"])
        except Exception as e:  # pylint: disable=broad-except
            self.problem = repr(e)


def test_backends_terminated_in_the_middle(db, server, api):
    desk = Desk(api, tasks=1500, workflow={"review": {"mode": "none"}})
    workers = [Worker(server, desk, token) for _, token in people(db, server, api, desk.project, 16)]
    for worker in workers:
        worker.start()
    terminated = 0
    while any(w.is_alive() for w in workers) and terminated < 60:
        time.sleep(0.25)
        terminated += len(db.execute("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE usename = 'annotate_api' AND datname = current_database()""").fetchall())
    for worker in workers:
        worker.join(120)
    assert terminated >= 8
    assert [w.problem for w in workers if w.problem] == []
    assert set().union(*(w.seen for w in workers)) <= {200, 503}
    acknowledged = {label for w in workers for label in w.done}
    stored = {row[0] for row in db.execute("SELECT id FROM label_version WHERE project_id = %s", (desk.project,))}
    assert acknowledged == stored and len(stored) == 1500  # nothing lost, nothing twice
    assert desk.progress()["tasks"]["done"] == 1500


def test_the_database_is_away_for_a_while(cluster, database, db, server, api):
    """No connection can be made: 503 with Retry-After, not ready, and by itself well again."""
    desk = Desk(api)
    work = desk.claim("annotator")
    with cluster.connect("postgres") as c:
        c.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 0")
        c.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'annotate_api' AND datname = %s", (database,))
        try:
            until(lambda: api().get("/readyz").status_code == 503, what="ready without a database")
            away = problem(desk.act("annotator", work, "submit", {"result": choice("cat")}), 503)
            assert away["status"] == 503 and api().get("/healthz").status_code == 200
            assert api().get("/readyz").headers["Retry-After"]
        finally:
            c.execute(f"ALTER DATABASE {database} CONNECTION LIMIT -1")
    until(lambda: api().get("/readyz").status_code == 200, what="it does not recover")
    assert desk.submit("annotator", work)["task"]["state"] == "review"


# ---- leases that run out ----

def expire(cluster, db, server, work, how):
    db.execute("UPDATE assignment SET lease_expires_at = now() - interval '1 s' WHERE id = %s", (work["id"],))
    if how == "statement":
        sql = (stand.ROOT / "schema/queries/lease_expire.sql").read_text().replace("$1", "100")
        with cluster.connect(server.database, "annotate_worker") as c:
            assert c.execute(sql).fetchone()[0] == 1
        return
    upkeep = subprocess.Popen([stand.BIN / "annotate-upkeep", "--db-worker", cluster.conninfo(server.database, "annotate_worker"),
                               "--blobs", f"fs:{server.directory}/blobs", "--poll-ms", "20"], env=stand.ENVIRONMENT,
                              stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: db.execute("SELECT state FROM assignment WHERE id = %s", (work["id"],)).fetchone()[0] == "open", 20)
    finally:
        upkeep.terminate()
        text = upkeep.communicate(timeout=20)[1]
        assert not stand.CRASH.search(text), text


@pytest.mark.parametrize("how", ["statement", "upkeep"])
def test_late_work_after_the_lease_has_expired(cluster, db, server, api, how):
    desk = Desk(api, tasks=3)
    mine, beaten, lost = desk.claims("annotator", count=3)
    for work in (mine, beaten, lost):
        expire(cluster, db, server, work, how)
    assert [a["state"] for a in desk.task(mine["task"]["id"])["assignments"]] == ["open"]
    # a heartbeat takes the lease up again, nobody having claimed
    assert desk.done("annotator", beaten, "heartbeat")["version"] == beaten["version"]
    taken = desk.claims("annotator2", count=2)
    assert {w["id"] for w in taken} == {mine["id"], lost["id"]}
    desk.done("annotator2", next(w for w in taken if w["id"] == mine["id"]), "release")
    kept = problem(desk.act("annotator", lost, "submit", {"result": choice("dog")}), 412, "version-mismatch")
    assert desk.result(kept["late_label"]) == choice("dog")
    problem(desk.act("annotator", mine, "submit", {"result": choice("dog")}), 412)  # another version: someone had it in between
    desk.submit("annotator", beaten)
    assert "expire" in desk.actions(mine["task"]["id"])


@pytest.mark.parametrize("how", ["statement", "upkeep"])
def test_late_work_is_accepted_when_nobody_else_has_claimed(cluster, db, server, api, how):
    desk = Desk(api)
    work = desk.claim("annotator")
    expire(cluster, db, server, work, how)
    assert desk.submit("annotator", work)["task"]["state"] == "review"
    assert desk.actions() == ["import", "claim", "expire", "submit"]


def test_a_lease_that_is_over_is_not_given_back(db, api):
    """Nobody has swept yet: the holder's own claim does not show work whose lease is over as theirs."""
    desk = Desk(api)
    work = desk.claim("annotator", lease_s=5)
    db.execute("UPDATE assignment SET lease_expires_at = now() - interval '1 s' WHERE id = %s", (work["id"],))
    assert desk.claims("annotator") == []
    assert desk.submit("annotator", work)["task"]["state"] == "review"


def test_rework_that_nobody_comes_for(cluster, db, server, api):
    desk = Desk(api)
    desk.annotate("annotator")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    assert desk.claims("annotator2") == []
    db.execute("UPDATE assignment SET reserved_until = now() - interval '1 s' WHERE project_id = %s AND reserved_for IS NOT NULL", (desk.project,))
    with cluster.connect(server.database, "annotate_worker") as c:
        c.execute((stand.ROOT / "schema/queries/reservation_expire.sql").read_text().replace("$1", "100"))
    assert len(desk.claims("annotator2")) == 1


def test_folded_counters_stay_exact(cluster, db, server, api):
    desk = Desk(api, tasks=5)
    desk.annotate()
    before = desk.progress()
    sql = (stand.ROOT / "schema/queries/counter_fold.sql").read_text().replace("$1", "0")
    with cluster.connect(server.database, "annotate_worker") as c:
        c.execute(sql)
    rows = db.execute("SELECT count(*), count(DISTINCT name) FROM counter WHERE project_id = %s", (desk.project,)).fetchone()
    assert rows[0] == rows[1] and desk.progress() == before


def test_the_api_role_may_not_expire(cluster, server):
    with cluster.connect(server.database, "annotate_api") as c, pytest.raises(psycopg.Error):
        c.execute((stand.ROOT / "schema/queries/counter_fold.sql").read_text().replace("$1", "0"))
