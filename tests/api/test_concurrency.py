"""Many people at once on the same work: nothing is handed out twice, one of several racers wins, and nobody waits in vain."""
import concurrent.futures
import random
import threading
import time

import pytest

from kit import Desk, Line, choice, people, until

CLIENTS, TASKS, ROUNDS = 64, 8, 1000


class Crowd:
    """People of one project, each on a connection of their own."""

    def __init__(self, db, server, api, count, **desk):
        self.desk = Desk(api, **desk)
        self.members = people(db, server, api, self.desk.project, count)
        self.lines = [Line(server, token) for _, token in self.members]
        self.claims = f"{self.desk.path}/claims"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for line in self.lines:
            line.close()

    def all(self, calls):
        """Sends [(line, method, path, body, version)] and reads all answers, in that order."""
        for line, *words in calls:
            line.send(*words)
        return [line.answer() for line, *_ in calls]

    def round(self, body):
        """Everybody claims at once: [(line, assignment)] of those who got something."""
        answers = self.all([(line, "POST", self.claims, body) for line in self.lines])
        assert {status for status, _ in answers} == {200}, answers
        return [(line, work) for line, (_, got) in zip(self.lines, answers) for work in got["assignments"]]


def on(work, verb):
    return f"/v1/assignments/{work['id']}/{verb}"


def test_two_claimers_never_get_one_task(db, server, api):
    chance, handed_out = random.Random(5), 0
    with Crowd(db, server, api, CLIENTS, tasks=TASKS) as crowd:
        for _ in range(ROUNDS):
            won = crowd.round({"stage": "annotate"})
            ids = [work["id"] for _, work in won]
            assert 1 <= len(ids) == len(set(ids)) <= TASKS
            handed_out += len(ids)
            beat = [(line, "POST", on(work, "heartbeat"), {}, work["version"]) for line, work in won if chance.random() < 0.1]
            back = [(line, "POST", on(work, "release"), None, work["version"]) for line, work in won]
            assert {status for status, _ in crowd.all(beat)} <= {200}
            assert {status for status, _ in crowd.all(back)} == {200}
        won = crowd.round({"stage": "annotate"})
        assert {s for s, _ in crowd.all([(line, "POST", on(w, "submit"), {"result": choice("cat")}, w["version"]) for line, w in won])} == {200}
    claims, versions = db.execute("""SELECT count(*), count(DISTINCT (assignment_id, assignment_version)) FROM event
        WHERE action = 'claim' AND project_id = %s""", (crowd.desk.project,)).fetchone()
    assert claims == versions == handed_out + len(won)
    assert handed_out > 0.9 * TASKS * ROUNDS  # and the work is not left lying


def test_two_slots_of_a_task_go_to_two_people(db, server, api):
    with Crowd(db, server, api, CLIENTS, tasks=TASKS, workflow={"overlap": 2, "review": {"mode": "none"}}) as crowd:
        for _ in range(60):
            won = crowd.round({"stage": "annotate", "count": 3})
            ids = [work["id"] for _, work in won]
            pairs = {(line, work["task"]["id"]) for line, work in won}
            assert len(ids) == len(set(ids)) == len(pairs) <= 2 * TASKS
            crowd.all([(line, "POST", on(work, "release"), None, work["version"]) for line, work in won])
        deadline = time.monotonic() + 30
        while crowd.desk.progress()["tasks"]["done"] < TASKS:
            assert time.monotonic() < deadline
            won = crowd.round({"stage": "annotate"})
            answers = crowd.all([(line, "POST", on(w, "submit"), {"result": choice("cat")}, w["version"]) for line, w in won])
            assert {status for status, _ in answers} <= {200}
    assert crowd.desk.progress()["labels"] == {"submission": 2 * TASKS, "merge": TASKS}


def test_one_person_on_many_connections(db, server, api):
    desk = Desk(api, tasks=4, workflow={"overlap": 3})
    (_, token), = people(db, server, api, desk.project, 1)
    lines = [Line(server, token) for _ in range(16)]
    for _ in range(30):
        for line in lines:
            line.send("POST", f"{desk.path}/claims", {"stage": "annotate", "count": 2})
        answers = [line.answer() for line in lines]
        assert {status for status, _ in answers} == {200}, answers
        won = {work["id"]: work for _, got in answers for work in got["assignments"]}
        assert len({work["task"]["id"] for work in won.values()}) == len(won)
        for work in won.values():
            assert lines[0].call("POST", on(work, "release"), None, work["version"])[0] == 200
    for line in lines:
        line.close()


def test_racing_submits_of_one_assignment(db, server, api):
    desk = Desk(api, tasks=20)
    (_, token), = people(db, server, api, desk.project, 1)
    lines = [Line(server, token) for _ in range(8)]
    for turn in range(20):
        _, got = lines[0].call("POST", f"{desk.path}/claims", {"stage": "annotate"})
        work, same = got["assignments"][0], turn % 2 == 0
        for n, line in enumerate(lines):
            line.send("POST", on(work, "submit"), {"result": choice("cat" if same or n % 2 else "dog")}, work["version"])
        answers = [line.answer() for line in lines]
        good = [body for status, body in answers if status == 200]
        labels = desk.labels(work["task"]["id"])
        assert [label["kind"] for label in labels].count("submission") == 1
        if same:  # the very same request: one answer for all
            assert len(good) == 8 and all(body == good[0] for body in good) and len(labels) == 1
        else:     # what did not win is kept, each distinct document at least once
            assert 1 <= len(good) <= 4 and all(body == good[0] for body in good)
            lost = [body for status, body in answers if status != 200]
            assert {body["status"] for body in lost} == {409} and len(lost) >= 4
            late = {label["id"] for label in labels if label["kind"] == "late"}
            assert {body["late_label"] for body in lost} == late
            wanted = [choice("cat" if n % 2 else "dog") for n in range(8)]
            for document, (status, body) in zip(wanted, answers):  # and each is told where its own is
                assert desk.result(body["label"]["id"] if status == 200 else body["late_label"]) == document
    for line in lines:
        line.close()


def test_racing_verdicts(db, server, api):
    desk = Desk(api, tasks=8)
    (_, token), = people(db, server, api, desk.project, 1, role="reviewer")
    lines = [Line(server, token) for _ in range(6)]
    verdicts = [{"verdict": "accept"}, {"verdict": "reject", "comments": [{"text": "no"}]}, {"verdict": "fix", "result": choice("dog")}] * 2
    for turn in range(8):
        desk.annotate()
        _, got = lines[0].call("POST", f"{desk.path}/claims", {"stage": "review"})
        work = got["assignments"][0]
        order = random.Random(turn).sample(verdicts, 6)
        for line, verdict in zip(lines, order):
            line.send("POST", on(work, "verdict"), verdict, work["version"])
        answers = [line.answer() for line in lines]
        won = {verdict["verdict"] for verdict, (status, _) in zip(order, answers) if status == 200}
        assert len(won) == 1, answers
        for verdict, (status, body) in zip(order, answers):
            if status != 200:
                assert status == 409 and ("late_label" in body) == (verdict["verdict"] == "fix")
        moves = [a for a in desk.actions(work["task"]["id"]) if a in ("accept", "reject", "fix")]
        assert moves == list(won)
        if won == {"reject"}:
            desk.done("annotator", desk.claim("annotator"), "release")
            desk.move("archive", work["task"]["id"])
    for line in lines:
        line.close()


def test_a_submit_against_an_archive(db, server, api):
    desk = Desk(api, tasks=20)
    (_, token), = people(db, server, api, desk.project, 1)
    (_, boss), = people(db, server, api, desk.project, 1, role="manager")
    line, manager = Line(server, token), Line(server, boss)
    outcomes = set()
    for turn in range(20):
        _, got = line.call("POST", f"{desk.path}/claims", {"stage": "annotate"})
        work = got["assignments"][0]
        calls = [(line, on(work, "submit"), {"result": choice("cat")}, work["version"]),
                 (manager, f"/v1/tasks/{work['task']['id']}/archive", None, 1)]
        for one, path, body, version in calls if turn % 2 else calls[::-1]:
            one.send("POST", path, body, version)
        (submitted, body), (archived, _) = line.answer(), manager.answer()
        outcomes.add((submitted, archived))
        if archived == 200:
            assert submitted == 409 and desk.result(body["late_label"]) == choice("cat")
        else:
            assert (submitted, archived) == (200, 412)
    assert outcomes
    line.close()
    manager.close()


def archived(desk):
    return desk.claim("annotator"), lambda: desk.move("archive")


def skipped(desk):
    mine, other = desk.claim("annotator"), desk.claim("annotator2")
    return other, lambda: desk.done("annotator", mine, "skip")


def chosen(desk):
    label = desk.annotate("annotator", "dog")["label"]["id"]
    desk.annotate("annotator2", "cat")
    work = desk.claim("reviewer", "review")
    return work, lambda: desk("manager").ok("POST", f"/v1/tasks/{desk.tasks[0]}/restore-label", json={"label": label}, version=desk.task()["version"])


@pytest.mark.parametrize("change, action", [(archived, "archive"), (skipped, "skip"), (chosen, "adopt")])
def test_who_waits_for_work_is_recorded_after_who_had_it(cluster, database, db, api, change, action):
    """Or the history would tell of a claim after the archive that ended it."""
    desk = Desk(api, workflow={"overlap": 2, "skip_limit": 1})
    work, act = change(desk)
    with cluster.connect(database) as c, concurrent.futures.ThreadPoolExecutor() as pool:
        with c.transaction():
            c.execute("SELECT FROM assignment WHERE id = %s FOR UPDATE", (work["id"],))
            done = pool.submit(act)
            until(lambda: done.done() or db.execute("""SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'""").fetchone() is not None)
            number, = c.execute("SELECT nextval(pg_get_serial_sequence('event', 'seq'))").fetchone()
        done.result()
    seq, = db.execute("SELECT max(seq) FROM event WHERE task_id = %s AND action = %s", (desk.tasks[0], action)).fetchone()
    assert seq > number


# ---- waiting for work ----

@pytest.fixture
def waiting(db, server, api):
    """A person who asks for work that is not there yet, on a thread: waiting(desk, stage) → what comes, and after how long."""
    threads = []

    def wait(desk, stage="annotate", role="annotator", seconds=20, **settings):
        (_, token), = people(db, server, api, desk.project, 1, role=role) if isinstance(role, str) else [role]
        found = {}

        def ask():
            line = Line(server, token)
            status, body = line.call("POST", f"{desk.path}/claims", {"stage": stage, "wait_s": seconds, **settings})
            found.update(status=status, work=body.get("assignments"), at=time.monotonic())
            line.close()

        threads.append(threading.Thread(target=ask))
        threads[-1].start()
        time.sleep(0.3)
        assert not found  # it waits
        return found

    yield wait
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def woken_by(action, found):
    start = time.monotonic()
    action()
    until(lambda: found, 10, "nobody was woken")
    assert found["status"] == 200 and len(found["work"]) == 1
    return found["at"] - start


@pytest.mark.parametrize("what", ["import", "release", "submit"])
def test_a_waiting_claim_is_woken(api, waiting, what):
    delays = []
    for _ in range(3):
        desk = Desk(api, tasks=0 if what == "import" else 1)
        if what == "import":
            found, act = waiting(desk), lambda: api.tasks(desk.project, [{"image": "/x.png"}])
        else:
            work = desk.claim("annotator")
            if what == "release":
                found, act = waiting(desk), lambda: desk.done("annotator", work, "release")
            else:
                found, act = waiting(desk, "review", "reviewer"), lambda: desk.submit("annotator", work)
        delays.append(woken_by(act, found))
    assert min(delays) < 0.5, delays  # by the change itself, not by the look once a second


def test_a_waiting_annotator_is_woken_by_a_reject(db, server, api, waiting):
    desk = Desk(api)
    member, = people(db, server, api, desk.project, 1)
    line = Line(server, member[1])
    work = line.call("POST", f"{desk.path}/claims", {"stage": "annotate"})[1]["assignments"][0]
    line.call("POST", on(work, "submit"), {"result": choice("cat")}, work["version"])
    line.close()
    other = waiting(desk, seconds=3)  # somebody else waits as well, in vain
    mine = waiting(desk, role=member)
    judge = desk.claim("reviewer", "review")
    woken_by(lambda: desk.verdict("reviewer", judge, "reject", comments=[{"text": "again"}]), mine)
    assert mine["work"][0]["comments"][0]["text"] == "again"
    until(lambda: other, 10)
    assert other["work"] == []


def test_many_wait_and_one_gets_it(api, waiting):
    desk = Desk(api, tasks=0)
    found = [waiting(desk, seconds=4) for _ in range(6)]
    api.tasks(desk.project, [{"image": "/x.png"}])
    until(lambda: all(found), 15)
    assert sorted(len(f["work"]) for f in found) == [0] * 5 + [1]


def test_waiting_ends_in_time(api):
    desk = Desk(api, tasks=0)
    start = time.monotonic()
    assert desk.claims("annotator", wait_s=1) == []
    assert 0.9 < time.monotonic() - start < 5


def test_who_has_gone_gets_nothing(db, server, api):
    desk = Desk(api, tasks=0)
    lines = [Line(server, token) for _, token in people(db, server, api, desk.project, 20)]
    for n, line in enumerate(lines):
        line.send("POST", f"{desk.path}/claims", {"stage": "annotate", "wait_s": 60})
    time.sleep(0.5)
    for line in lines:
        line.reset()
    time.sleep(0.5)
    api.tasks(desk.project, [{"image": f"/{n}.png"} for n in range(5)])
    time.sleep(1.2)  # a look once a second would hand it out, too
    assert db.execute("SELECT count(*) FROM assignment WHERE project_id = %s AND state = 'leased'", (desk.project,)).fetchone()[0] == 0
    assert len(desk.claims("annotator", count=5)) == 5
