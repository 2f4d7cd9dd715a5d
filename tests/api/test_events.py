"""GET /v1/events: everyone is told of what they may see, once and in order, over lost connections, servers that die and writers
that stay open; and who does not read, or may not any more, is let go."""
import collections
import json
import random
import signal
import socket
import threading
import time

import pytest
import requests

from kit import Desk, choice, problem, until


class Ear:
    """One stream of events, read by a thread of its own: what has come completely, and the id to go on from."""

    def __init__(self, client, path="/v1/events", last=None, url=None, stop_after=None):
        self.events, self.id, self.comments, self.over, self.stop_after = [], last, 0, None, stop_after
        self.heard = threading.Condition()
        headers = dict(client.headers) | ({"Last-Event-ID": last} if last else {})
        self.answer = requests.get((url or client.url) + path, headers=headers, stream=True, timeout=(10, 60))
        assert self.answer.status_code == 200, self.answer.text
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        text = b""
        try:
            for piece in self.answer.iter_content(None):
                text += piece
                while b"\n\n" in text:
                    block, text = text.split(b"\n\n", 1)
                    with self.heard:
                        if self.stop_after is not None and len(self.events) >= self.stop_after:
                            return
                        self.take(block.decode())
                        self.heard.notify_all()
            over = "end"
        except Exception as e:  # noqa: BLE001: whatever it is, it ends the stream
            over = type(e).__name__
        with self.heard:
            self.over = over
            self.heard.notify_all()

    def take(self, block):
        fields = collections.defaultdict(str)
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            self.comments += name == ""
        self.id = fields.get("id", self.id)
        if "data" in fields:
            event = json.loads(fields["data"])
            assert fields["event"] == event["action"]
            self.events.append(event)

    def wait(self, until, seconds=20):
        with self.heard:
            assert self.heard.wait_for(lambda: until(self) or self.over, seconds), f"heard {len(self.events)}: {self.events[-3:]}"
            assert until(self), f"the stream is over ({self.over}) after {self.events[-3:]}"
        return self

    def ready(self):
        """It has a position: nothing that happens from here on is lost."""
        return self.wait(lambda e: e.id)

    def actions(self):
        with self.heard:
            return [e["action"] for e in self.events]

    def close(self):
        try:  # the reader has the lock of the buffered file, so the socket is shut from below
            self.answer.raw._fp.fp.raw._sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass


@pytest.fixture
def ear(api):
    ears = []

    def make(client, path="/v1/events", **rest):
        ears.append(Ear(client, path, **rest))
        return ears[-1].ready()

    yield make
    for e in ears:
        e.close()


def history(db, project):
    return [r[0] for r in db.execute("SELECT seq FROM event WHERE project_id = %s ORDER BY seq", (project,))]


def last_seq(db):
    return db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0]


# ---- what is told ----

def test_an_event_is_told_as_it_happens(api, ear):
    desk = Desk(api)
    e = ear(desk("manager"), f"/v1/events?project={desk.project}")
    assert e.answer.headers["Content-Type"] == "text/event-stream"
    assert (e.answer.headers["Cache-Control"], e.answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
    assert "Content-Encoding" not in e.answer.headers
    took = []
    for n in range(8):
        work = desk.claim("annotator")
        begun = time.monotonic()
        e.wait(lambda e: len(e.events) > 2 * n)
        took.append(time.monotonic() - begun)
        desk.done("annotator", work, "release")
        e.wait(lambda e: len(e.events) == 2 * n + 2)
    assert sorted(took)[4] < 0.5, took  # not by the slow look, every two seconds
    e.events.clear()
    work = desk.claim("annotator")
    e.wait(lambda e: e.events)
    desk.submit("annotator", work)
    e.wait(lambda e: len(e.events) == 2)
    claim, submit = e.events
    me = desk("annotator").user["id"]
    assert claim.pop("seq") < submit.pop("seq") and claim.pop("at") < submit.pop("at")
    assert claim == {"project": desk.project, "task": desk.tasks[0], "actor": me, "assignment": work["id"], "action": "claim",
                     "version": 1, "from": "annotate", "to": "annotate", "label": None, "release": None}
    assert submit.pop("label") == desk.labels()[0]["id"]
    assert submit == {"project": desk.project, "task": desk.tasks[0], "actor": me, "assignment": work["id"], "action": "submit",
                      "version": 2, "from": "annotate", "to": "review", "release": None}


def test_only_these_actions_of_this_project(api, ear):
    one, two = Desk(api), Desk(api)
    e = ear(one("manager"), f"/v1/events?project={one.project}&actions=submit,accept")
    both = ear(one("manager"), "/v1/events?actions=submit")
    two.annotate()
    one.annotate()
    one.verdict("reviewer", one.claim("reviewer", "review"), "accept")
    e.wait(lambda e: len(e.events) == 2)
    assert [(x["project"], x["action"]) for x in e.events] == [(one.project, "submit"), (one.project, "accept")]
    both.wait(lambda e: {x["project"] for x in e.events} >= {one.project, two.project})
    assert set(both.actions()) == {"submit"}


def test_a_large_import_is_told_whole(api, db, ear):
    desk = Desk(api, tasks=0)
    e = ear(desk("viewer"), f"/v1/events?project={desk.project}")
    api.tasks(desk.project, [{"image": f"/{i}.png"} for i in range(3000)])
    e.wait(lambda e: len(e.events) >= 3000, 60)
    assert [x["seq"] for x in e.events] == history(db, desk.project)


@pytest.mark.parametrize("query", ["project=0", "project=x", "actions=nonsense", "actions=", "actions=submit,,accept", "more=1"])
def test_bad_parameters(api, query):
    assert api("admin").get(f"/v1/events?{query}").status_code == 422, query


BAD_IDS = ["x", "0:1:", "1:0:", "5:4:", "1:2", "1:2:3", "1:9:3,2", "1:9:3,3", "4:9:3", "1:9:3,", "1:9:,3", "1:9:9", "01:2:", "1:2:/", "1:2:/1:3:",
           "1:2:/1:3:/", "1:2:/1:3:/0", "1:2:/1:3:/-1", "1:2:/x/1", "1:2:/1:3:/1/1", "1:99999999999999999999:", "1:2:'; DROP TABLE event",
           "1:9:" + ",".join("123456789"[:8]) * 900, "-1:2:"]


@pytest.mark.parametrize("last", BAD_IDS, ids=range(len(BAD_IDS)))
def test_bad_ids(api, last):
    problem(api("admin").get("/v1/events", headers={"Last-Event-ID": last}), 422, "invalid")


def test_a_head_is_answered_without_a_stream(api):
    answer = api("admin").head("/v1/events")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/event-stream"


# ---- once and in order ----

class Crowd:
    """People who claim, submit and review in a project until it is done."""

    def __init__(self, desk, people=3):
        self.desk, self.errors = desk, []
        self.threads = [threading.Thread(target=self.work, args=(role,), daemon=True)
                        for role in ["annotator", "annotator2", "reviewer", "manager", "qa"][:people]]
        for t in self.threads:
            t.start()

    def work(self, role):
        client = type(self.desk(role))(self.desk(role).url, role)
        try:
            while work := client.ok("POST", f"{self.desk.path}/claims", json={"stage": "annotate", "count": 2})["assignments"]:
                for w in work:
                    verb = random.choice(["submit", "submit", "release"])
                    client.request("POST", f"/v1/assignments/{w['id']}/{verb}", version=w["version"],
                                   json={"result": choice("cat")} if verb == "submit" else None)
        except Exception as e:  # noqa: BLE001: the test looks at it
            self.errors.append(e)

    def busy(self):
        return any(t.is_alive() for t in self.threads)


def test_nothing_is_lost_or_doubled_over_reconnects(api, db, server, start_server):
    """A listener that is cut off at random, and goes on at one of two servers, hears what the table says."""
    second = start_server(token_key_file=server.directory / "token.key")
    desk = Desk(api, tasks=60)
    manager = desk("manager")
    path = f"/v1/events?project={desk.project}"
    first = Ear(manager, path).ready()
    last, from_seq, heard = first.id, last_seq(db), []
    first.close()
    crowd = Crowd(desk, 4)
    random.seed(7)
    end = time.monotonic() + 90
    while True:
        busy = crowd.busy()
        e = Ear(manager, path, last=last, url=random.choice([server.url, second.url]), stop_after=random.randint(0, 9))
        with e.heard:
            e.heard.wait_for(lambda: len(e.events) >= e.stop_after or e.over, random.choice([0.05, 0.3, 1]) if busy else 3)
            heard += e.events
            last, quiet = e.id, len(e.events) < e.stop_after
            e.stop_after = 0
        e.close()
        if quiet and not busy and len(heard) >= len(history(db, desk.project)) - len(desk.tasks):
            break
        assert time.monotonic() < end, f"heard {len(heard)}"
    assert not crowd.errors
    told = [e["seq"] for e in heard]
    assert sorted(told) == [s for s in history(db, desk.project) if s > from_seq] and len(told) >= 2 * len(desk.tasks)
    for task in desk.tasks:
        mine = [(e["seq"], e["version"]) for e in heard if e["task"] == task]
        assert mine == sorted(mine)


def test_an_open_writer_holds_up_nobody_and_is_not_lost(api, db, cluster, database, ear):
    desk = Desk(api, tasks=3)
    e = ear(desk("manager"), f"/v1/events?project={desk.project}")
    add = """INSERT INTO event (tenant_id, project_id, task_id, task_version, action, from_state, to_state)
             SELECT tenant_id, project_id, id, version, 'prioritize', 'annotate', 'annotate' FROM task WHERE id = %s RETURNING seq"""
    with cluster.connect(database) as open_writer:
        open_writer.autocommit = False
        slow, = open_writer.execute(add, (desk.tasks[2],)).fetchone()
        desk.annotate()
        e.wait(lambda e: len(e.events) == 2)
        before = e.id  # of a client that goes away while the writer is still open
        desk.claim("annotator")
        e.wait(lambda e: len(e.events) == 3)
        assert slow < e.events[0]["seq"] and "prioritize" not in e.actions()
        open_writer.commit()
    e.wait(lambda e: len(e.events) == 4)
    assert e.events[3]["seq"] == slow
    back = ear(desk("manager"), f"/v1/events?project={desk.project}", last=before)
    back.wait(lambda e: len(e.events) == 2)
    assert {x["seq"] for x in back.events} == {e.events[2]["seq"], slow}
    time.sleep(0.5)
    assert len(back.events) == 2 and len(e.events) == 4


def test_a_killed_server_costs_nothing(api, db, server, start_server):
    desk = Desk(api, tasks=6)
    path = f"/v1/events?project={desk.project}"
    doomed = start_server(token_key_file=server.directory / "token.key")
    e = Ear(desk("manager"), path, url=doomed.url).ready()
    desk.annotate()
    e.wait(lambda e: len(e.events) == 2)
    doomed.kill()
    desk.annotate()
    with e.heard:
        assert e.heard.wait_for(lambda: e.over, 10)
    back = Ear(desk("manager"), path, last=e.id)
    back.wait(lambda e: len(e.events) == 2)
    desk.annotate()
    back.wait(lambda e: len(e.events) == 4)
    back.close()
    assert [x["seq"] for x in e.events + back.events] == history(db, desk.project)[6:]


def test_who_cannot_be_told_all_is_told_so(api, ear):
    """Too far behind, or ahead of the database."""
    desk = Desk(api, tasks=0)
    api.tasks(desk.project, [{"image": f"/{i}.png"} for i in range(10050)])
    for last in ("3:3:", "1:99999999999999:", "3:3:/1:99999999999999:/5"):
        e = Ear(desk("manager"), f"/v1/events?project={desk.project}", last=last)
        e.wait(lambda e: e.events)
        assert e.events == [{"action": "reset"}] and e.id != last
        e.events.clear()
        desk.claim("annotator", more=True)
        e.wait(lambda e: e.events)
        assert e.actions() == ["claim"]
        e.close()


# ---- who is told ----

def test_an_annotator_hears_of_their_own_work_alone(api, ear):
    desk = Desk(api, tasks=2)
    mine = ear(desk("annotator"), f"/v1/events?project={desk.project}")
    model = ear(desk("model"), f"/v1/events?project={desk.project}")
    theirs = {role: ear(desk(role), f"/v1/events?project={desk.project}") for role in ("viewer", "reviewer", "qa", "manager", "admin")}
    desk.annotate("annotator2")
    work = desk.claim("annotator")
    desk.submit("annotator", work)
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "reject")
    desk("manager").ok("POST", f"{desk.path}/assign", json={"stage": "annotate", "tasks": desk.tasks, "user": desk("annotator").user["id"]})
    for e in theirs.values():
        e.wait(lambda e: len(e.events) >= 7)
        assert e.actions()[:6] == ["claim", "submit", "claim", "submit", "claim", "reject"]
        assert all({"version", "from", "to", "label"} < set(x) for x in e.events)
    mine.wait(lambda e: len(e.events) >= 2)
    me = desk("annotator").user["id"]
    assert mine.actions()[:2] == ["claim", "submit"] and set(mine.actions()[2:]) <= {"assign"}
    for x in mine.events:
        assert set(x) == {"seq", "at", "project", "task", "actor", "assignment", "action"}
        assert x["actor"] == me or x["action"] == "assign"
    assert not model.events


def test_gold_is_not_to_be_told(api, ear):
    """The same events, of the same shape, for work that is gold and work that is not."""
    desk = Desk(api, tasks=8, workflow={"gold_percent": 100})
    for task in desk.tasks[:4]:
        desk("manager").ok("POST", f"{desk.path}/gold", 201, json={"task": task, "result": choice("cat")})
    e = ear(desk("annotator"), f"/v1/events?project={desk.project}")
    for _ in range(5):
        desk.annotate()
    e.wait(lambda e: len(e.events) == 10)
    gold = [x for x in e.events if x["task"] in desk.tasks[:4]]
    assert 4 <= len(gold) <= 8
    assert e.actions() == ["claim", "submit"] * 5
    assert len({tuple(sorted((k, type(v).__name__) for k, v in x.items())) for x in e.events}) == 1


def test_nobody_hears_of_other_projects_and_tenants(api, ear):
    desk, other = Desk(api), Desk(api, tenant="b")
    for client in (api("outsider"), api("manager", "b")):
        problem(client.get(f"/v1/events?project={desk.project}"), 404)
    # an administrator's projects are all there are; one that is not there has no events
    silent = [ear(c) for c in (api("outsider"), api("admin", "b"), api("manager", "b"))]
    loud = ear(desk("admin"))
    desk.annotate()
    loud.wait(lambda e: e.events)
    other.annotate()
    for e in silent[1:]:
        e.wait(lambda e: len(e.events) == 2)
    assert {x["project"] for e in silent[1:] for x in e.events} == {other.project}
    time.sleep(0.3)
    assert not silent[0].events and other.project not in {x["project"] for x in loud.events}


def ends(e, seconds=10):
    with e.heard:
        assert e.heard.wait_for(lambda: e.over, seconds), "it goes on"
    return e.over


def test_a_right_that_ends_ends_the_stream(api, db, ear, start_server, server):
    """At once on the server that was asked, within seconds on another."""
    second = start_server(token_key_file=server.directory / "token.key")
    desk = Desk(api)
    path = f"/v1/events?project={desk.project}"
    stays = ear(desk("qa"), path)
    member, elsewhere = ear(desk("viewer"), path), ear(desk("viewer"), path, url=second.url)
    desk("admin").ok("DELETE", f"{desk.path}/members/{desk('viewer').user['id']}", 204)
    assert ends(member, 3) == "end" and ends(elsewhere) == "end"

    token = api("annotator").ok("POST", "/v1/tokens", 201, json={"name": "t"})
    client = api()
    client.headers["Authorization"] = f"Bearer {token['token']}"
    by_token, by_login = ear(client, path), ear(api("annotator"), path)
    api("annotator").ok("DELETE", f"/v1/tokens/{token['id']}", 204)
    assert ends(by_token, 3) == "end" and not by_login.over

    made = api("admin").ok("POST", "/v1/users", 201, json={"email": "gone2@a.example", "name": "G", "password": "long enough"})
    gone = api()
    gone.login("gone2@a.example", "long enough")
    e = ear(gone)
    db.execute("UPDATE app_user SET disabled = true WHERE id = %s", (made["id"],))  # as another server would
    assert ends(e) == "end" and not stays.over
    assert api().get("/v1/events", headers=dict(gone.headers)).status_code == 401


def test_the_rights_of_many_tenants_are_looked_at_in_one_pass(api, db, start_server, server):
    """Streams of two tenants, opened in turn, each of a token of its own: none outlives its token by much more than the 5 s."""
    one = start_server(token_key_file=server.directory / "token.key", threads=1, max_streams=1000)
    ears, tokens = [], []
    for n in range(100):
        for tenant in ("a", "b"):
            tokens.append(api("viewer", tenant).ok("POST", "/v1/tokens", 201, json={"name": f"pass {n}"}))
            client = api()
            client.headers["Authorization"] = f"Bearer {tokens[-1]['token']}"
            ears.append(Ear(client, url=one.url))
    kept = Ear(api("viewer"), url=one.url)
    for e in [*ears, kept]:
        e.ready()
    time.sleep(6)  # so that they are looked at in the pace of the passes
    begun = time.monotonic()
    db.execute("UPDATE api_token SET revoked_at = now() WHERE id = ANY (%s)", ([t["id"] for t in tokens],))  # tells nobody
    assert {ends(e, 15) for e in ears} == {"end"}
    assert time.monotonic() - begun < 8 and not kept.over
    kept.close()


# ---- limits ----

def test_so_many_streams_a_person(api):
    client = api("qa")
    ears = [Ear(client) for _ in range(16)]
    answer = client.get("/v1/events")
    problem(answer, 429, "rate-limited")
    assert int(answer.headers["Retry-After"]) >= 1
    assert api("reviewer").head("/v1/events").status_code == 200
    Ear(api("reviewer")).close()
    ears[3].close()

    def again():
        try:
            ears.append(Ear(client))
        except AssertionError:
            return False
        return True

    until(again)
    for e in ears:
        e.close()


def test_who_does_not_read_is_dropped_and_others_go_on(api, start_server, server):
    desk = Desk(api, tasks=0)
    small = start_server(token_key_file=server.directory / "token.key", threads=1)
    token = desk("manager").headers["Authorization"]
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", small.port))
    slow.sendall(f"GET /v1/events?project={desk.project} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
    hello = b""
    while b"\nid: " not in hello:
        hello += slow.recv(2000)
    assert b"\nretry: " in hello
    quick = Ear(desk("manager"), f"/v1/events?project={desk.project}", url=small.url).ready()
    sent = 0
    while "events_slow" not in small.text():
        api.tasks(desk.project, [{"image": f"/{i}.png"} for i in range(4000)])
        sent += 4000
        quick.wait(lambda e: len(e.events) >= sent, 60)
        assert sent < 80000, "it is never dropped"
    slow.settimeout(10)
    with pytest.raises(ConnectionResetError):
        while slow.recv(1 << 16):
            pass
    assert len(quick.events) == sent and not quick.over
    quick.close()


def test_a_server_that_stops_ends_its_streams(api, server, start_server):
    stopping = start_server(token_key_file=server.directory / "token.key")
    ears = [Ear(api("manager"), url=stopping.url).ready() for _ in range(5)]
    begun = time.monotonic()
    stopping.proc.send_signal(signal.SIGTERM)
    assert [ends(e) for e in ears] == ["end"] * 5  # complete, to the last chunk
    assert stopping.proc.wait(10) == 0 and time.monotonic() - begun < 5


def test_a_quiet_stream_is_kept_alive_and_its_id_moves_on(api, ear):
    desk, other = Desk(api), Desk(api)
    e = ear(desk("manager"), f"/v1/events?project={desk.project}")
    before = e.id
    other.annotate()
    e.wait(lambda e: e.comments, 25)
    assert not e.events and e.id != before
