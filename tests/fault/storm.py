"""A storm over the real server: 200 people of two tenants do anything, on two servers over one database, while servers are killed and
stopped, database connections terminated, answers lost and sent again, requests doubled, and leases run out. Every client writes down
what it sent and was told; tests/support/history.py checks it all against what the database holds in the end.

`storm.py [OPERATIONS] [SEED] [DIRECTORY]`, with ANNOTATE_BIN and PGHOST as tests/support/stand.py says."""
import collections
import contextlib
import datetime
import hashlib
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/api")]
import history  # noqa: E402
from kit import Line, broken_rules, choice, document, people  # noqa: E402
from stand import TENANTS, Cluster, Office, Server, Worker  # noqa: E402

LEASE, PATIENCE, CLIENTS = 5, 2.0, 40
CROWD = {"annotator": 18, "reviewer": 7, "qa": 4, "manager": 3}
CHOICES = {"agreement": {"metric": "choices", "threshold": 0.6}, "lease_s": {s: LEASE for s in ("prelabel", "annotate", "review", "qa")}}
WORKFLOWS = [  # the same in both tenants
    {"qa": {"percent": 50}, "max_rework": 1, "skip_limit": 2, "reserve_s": 60},
    {"overlap": 3, "qa": {"percent": 30}, "review": {"mode": "sample", "percent": 50}, "skip_limit": 3, "max_rework": 2},
    {"prelabel": True, "auto_accept": True, "auto_accept_score": 0.5, "overlap": 2, "max_rework": 0, "qa": {"percent": 100}},
]
STAGES = {"annotator": ["annotate"], "reviewer": ["review", "review", "annotate"], "qa": ["qa", "qa", "review"],
          "manager": ["annotate", "review", "qa"], "model": ["prelabel"]}
READ = ("submit", "accept", "pass", "fix", "reject", "fail", "skip")  # whose bodies are read
# What is in every storm, so that the tests have something to look at. Some of it only time brings (leases end by the clock), so a storm that
# is through before goes on until it has so many of each, for a minute at most.
ENOUGH, LONGEST = 5, 60
ANSWERED = ("claim", "submit", "accept", "reject", "fix", "skip", "release", "heartbeat", "predictions", "archive", "restore", "reopen",
            "adopt", "bulk", "assign", "read")
RECORDED = ("expire", "late", "pass", "fail", "unassign", "prelabel_failed")
VERDICTS = {("review", "accept"): "accept", ("review", "reject"): "reject", ("qa", "accept"): "pass", ("qa", "reject"): "fail"}

Person = collections.namedtuple("Person", "id token role project")


class Project:
    """What everybody in it has heard of."""

    def __init__(self, ident, tenant):
        self.id, self.tenant = ident, tenant
        self.path = f"/v1/projects/{ident}"
        self.people = []
        self.tasks, self.archived = [], collections.deque(maxlen=20)
        self.late, self.labels = collections.deque(maxlen=50), collections.deque(maxlen=200)
        self.work = collections.deque(maxlen=50)
        self.hungry = True


def digest(*parts):
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def canonical(label):
    return json.dumps(label, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def brief(op, answer):
    """What of an answer the check needs."""
    if op == "claim":
        return {"assignments": [{"id": w["id"], "version": w["version"], "until": seconds(w["lease_expires_at"]),
                                 "task": {k: w["task"][k] for k in ("id", "state", "version")}} for w in answer["assignments"]]}
    if op == "read":
        return {k: answer[k] for k in ("id", "state", "version")}
    if op == "heartbeat":
        return {"id": answer["id"], "version": answer["version"], "until": seconds(answer["lease_expires_at"])}
    return answer


class Client(threading.Thread):
    """One connection to each server, and some of the people, whose requests it sends one after the other."""

    def __init__(self, storm, number, quota):
        super().__init__()
        self.storm, self.number, self.quota = storm, number, quota
        self.dice = random.Random(storm.seed * 1000 + number)
        self.people, self.held, self.delayed, self.old = [], collections.defaultdict(list), [], collections.deque(maxlen=40)
        self.lines, self.sent, self.problem = [None, None], 0, None
        self.silent = [0.0, 0.0]  # when a server last did not answer
        self.counts, self.answered = collections.Counter(), collections.Counter()
        self.file = open(storm.directory / f"client-{number}.jsonl", "w", encoding="utf-8")

    def run(self):
        try:
            while self.goes_on():
                self.step()
                if self.sent >= self.quota:  # what comes now is for want of time: no need to hurry
                    time.sleep(self.dice.uniform(0, 0.2))
        except Exception as e:  # pylint: disable=broad-except
            self.problem = repr(e)
            raise
        finally:
            self.file.close()

    def goes_on(self):
        return self.sent < self.quota or not self.storm.over.is_set()

    # ---- requests

    def line(self, server, person):
        if self.lines[server] is None:
            self.lines[server] = Line(self.storm.servers[server], person.token)
            self.lines[server].socket.settimeout(PATIENCE)
        self.lines[server].token = person.token
        return self.lines[server]

    def drop(self, server):
        if self.lines[server]:
            self.lines[server].reset()
        self.lines[server] = None

    def send(self, server, person, request):
        """True when it is on its way."""
        for _ in range(2):  # the second time when a kept connection was closed
            try:
                self.line(server, person).send(*request)
                return True
            except OSError:
                self.drop(server)
        return False

    def answer(self, server):
        """(status, answer) or (None, None): nobody knows."""
        try:
            status, answer = self.lines[server].answer()
        except (OSError, AttributeError, ValueError):
            self.silent[server] = time.monotonic()
            self.drop(server)
            return None, None
        self.counts[status] += 1
        return (status, answer) if status < 500 else (None, None)

    def record(self, person, request, facts, t0, status, answer):
        method, path, body, version, key = request
        good = status is not None and status < 300
        entry = facts | {"tenant": person.project.tenant, "person": person.id, "version": version, "key": key, "t0": t0, "status": status,
                         "t1": None if status is None else time.monotonic(), "request": digest(method, path, json.dumps(body)),
                         "answer": brief(facts["op"], answer) if good else answer}
        if not good and answer and "late_label" in answer:
            entry["late"] = answer["late_label"]
            person.project.late.append((answer["late_label"], facts.get("task")))
        self.file.write(json.dumps(entry) + "\n")
        self.counts["ok" if good else "unknown" if status is None else "refused"] += 1
        self.answered[facts["op"]] += good
        self.sent += 1

    def once(self, server, person, request, facts):
        t0 = time.monotonic()
        if not self.send(server, person, request):
            time.sleep(0.02)  # it is down: nothing was sent
            return None, None
        if self.dice.random() < 0.02:  # its answer gets lost
            self.drop(server)
            status = answer = None
        else:
            status, answer = self.answer(server)
        self.record(person, request, facts, t0, status, answer)
        return status, answer

    def twice(self, person, request, facts):
        """The same request on both servers at the same moment."""
        t0, asked = time.monotonic(), [s for s in (0, 1) if self.send(s, person, request)]
        answers = [self.answer(s) for s in asked]
        for status, answer in answers:
            self.record(person, request, facts, t0, status, answer)
        return next((a for a in answers if a[0] is not None), (None, None))

    def some_server(self):
        """Mostly one that has not just been silent, as a balancer would."""
        server = self.dice.randrange(2)
        return 1 - server if time.monotonic() - self.silent[server] < 1 and self.dice.random() < 0.9 else server

    def call(self, person, method, path, body=None, version=None, keyed=True, again=True, **facts):
        """The answer if it is 2xx; what is not known is asked again, mostly, on the other server. again: repeating it is safe."""
        key = f"k{self.number}.{next(self.storm.numbers)}" if keyed and self.dice.random() < 0.7 else None
        again = again or key is not None
        request, server = (method, path, body, version, key), self.some_server()
        if again and self.dice.random() < 0.03:
            status, answer = self.twice(person, request, facts)
        else:
            status, answer = self.once(server, person, request, facts)
        while status is None and again and self.goes_on() and self.dice.random() < 0.97:
            server = 1 - server if self.dice.random() < 0.8 else self.some_server()
            status, answer = self.once(server, person, request, facts)
        if key and status == 200 and self.dice.random() < 0.03:
            self.under_the_key(person, request, facts)
        return answer if status is not None and status < 300 else None

    def under_the_key(self, person, request, facts):
        """Once more: the same, or another request of the same person, or the same key of somebody of the other tenant."""
        method, path, body, version, key = request
        if facts["op"] not in READ or self.dice.random() < 0.5:
            self.once(self.some_server(), person, request, facts)
        else:
            other = (method, path, body | {"lead_time": self.dice.randint(1, 9)}, version, key)
            self.once(self.some_server(), person, other, {"op": "reuse"})
        stranger = next((p for p in self.people if p.project.tenant != person.project.tenant and p.project.tasks), None)
        if stranger:
            task = self.dice.choice(stranger.project.tasks)
            self.once(0, stranger, ("POST", f"/v1/tasks/{task}/comments", {"text": "hm"}, None, key), {"op": "comment"})

    # ---- what people do

    def step(self):
        if self.delayed and self.delayed[0][0] <= time.monotonic():
            _, person, work = self.delayed.pop(0)
            self.hand_in(person, work)
            return
        person = self.dice.choice(self.people)
        held = self.held[person.id]
        if person.project.hungry and self.dice.random() < 0.02:
            self.import_tasks(self.dice.choice([p for p in person.project.people if p.role == "manager"]))
        roll = self.dice.random()
        if roll < 0.02:
            self.trespass(person)
        elif roll < 0.06:
            self.read(person)
        elif roll < 0.55 and person.role == "manager":
            self.manage(person)
        elif roll < 0.08 and self.old:
            self.again(*self.dice.choice(self.old))
        elif not held or (roll < 0.25 and len(held) < 4):
            self.claim(person)
        else:
            self.work(person, held.pop(self.dice.randrange(len(held))))

    def claim(self, person):
        stage = self.dice.choice(STAGES[person.role])
        body = {"stage": stage, "count": self.dice.randint(1, 3), "more": self.dice.random() < 0.2}
        got = self.call(person, "POST", f"{person.project.path}/claims", body, keyed=False, op="claim", project=person.project.id, stage=stage,
                        lease_s=LEASE)
        if got is None:
            return
        if not got["assignments"] and stage == "annotate":
            person.project.hungry = True
        mine = {w["id"] for w in self.held[person.id]} | {w["id"] for _, p, w in self.delayed if p.id == person.id}
        for work in got["assignments"]:
            person.project.work.append(work)
            if work["id"] in mine:
                continue
            if self.dice.random() < 0.06:  # it comes when the lease is over
                self.delayed.append((time.monotonic() + LEASE + self.dice.uniform(-0.3, 2), person, work))
            else:
                self.held[person.id].append(work)

    def work(self, person, work):
        path, roll = f"/v1/assignments/{work['id']}", self.dice.random()
        facts = {"assignment": work["id"], "task": work["task"]["id"]}
        if roll < 0.05:
            self.call(person, "POST", f"{path}/release", None, work["version"], again=False, op="release", **facts)
            if self.dice.random() < 0.5:
                self.old.append((person, work))
        elif roll < 0.12:
            self.call(person, "POST", f"{path}/heartbeat", {}, work["version"], keyed=False, op="heartbeat", lease_s=LEASE, **facts)
            self.held[person.id].append(work)
        elif roll < 0.16 and person.role != "model":
            self.call(person, "PUT", f"{path}/draft", {"result": []}, work["version"], keyed=False, op="draft")
            self.held[person.id].append(work)
        elif roll < 0.20 and work["stage"] == "annotate":
            self.call(person, "POST", f"{path}/skip", {}, work["version"], op="skip", **facts)
        else:
            self.hand_in(person, work)

    def again(self, person, work):
        """Of work that is over: under its version, or under one that nobody gave them."""
        self.hand_in(person, work | {"version": work["version"] + self.dice.choice([0, 0, 1])})

    def label(self):
        """One like no other, so that its bytes tell whose it is."""
        return [choice(self.dice.choice(["cat", "cat", "cat", "dog"]))[0] | {"id": f"r{next(self.storm.numbers)}"}]

    def hand_in(self, person, work):
        path, label = f"/v1/assignments/{work['id']}", self.label()
        facts = {"assignment": work["id"], "task": work["task"]["id"], "sha": digest(canonical(label))}
        if self.dice.random() < 0.2:
            self.old.append((person, work))
        if work["stage"] == "prelabel":
            self.predict(person, work, label)
            return
        if work["stage"] == "annotate":
            got = self.call(person, "POST", f"{path}/submit", {"result": label}, work["version"], op="submit", **facts)
        else:
            verdict = self.dice.choice(["accept", "accept", "accept", "reject", "fix"])
            body = {"verdict": verdict} | ({"result": label} if verdict == "fix" else {})
            got = self.call(person, "POST", f"{path}/verdict", body, work["version"], op=VERDICTS.get((work["stage"], verdict), verdict), **facts)
        if got and got["label"]:
            person.project.labels.append((got["label"]["id"], got["task"]["id"]))

    def predict(self, person, work, label):
        item = {"assignment": work["id"], "version": work["version"], "model": "m@1"}
        good = self.dice.random() < 0.8
        item |= {"result": label, "score": self.dice.random()} if good else {"error": "decode"}
        self.call(person, "POST", f"{person.project.path}/predictions", {"predictions": [item]}, keyed=False, op="predictions",
                  items=[{"assignment": work["id"], "version": work["version"], "sha": digest(canonical(label)) if good else None}])

    def read(self, person, tasks=None):
        tasks = tasks or person.project.tasks
        return self.call(person, "GET", f"/v1/tasks/{self.dice.choice(tasks)}", keyed=False, op="read") if tasks else None

    def import_tasks(self, person):
        person.project.hungry = False
        names = [f"e{next(self.storm.numbers)}" for _ in range(6)]
        got = self.call(person, "POST", f"{person.project.path}/tasks", [{"data": {"image": f"/{n}.png"}, "external_id": n} for n in names],
                        keyed=False, op="import", project=person.project.id)
        if got and got["created"] == len(names) == got["last_id"] - got["first_id"] + 1:
            person.project.tasks.extend(range(got["first_id"], got["last_id"] + 1))

    def manage(self, person):
        self.dice.choice([self.move, self.move, self.move, self.take_in, self.take_in, self.bulk, self.queue])(person)

    def move(self, person):
        task = self.read(person, list(person.project.archived) if self.dice.random() < 0.4 else None)
        if task is None:
            return
        verbs = {"archived": ["restore"], "done": ["reopen", "reopen", "archive"], "skipped": ["reopen", "archive"]}.get(task["state"], ["archive"])
        if verbs == ["archive"] and self.dice.random() < 0.6:
            return
        verb, stale = self.dice.choice(verbs), self.dice.random() < 0.1
        body = {"to": self.dice.choice(["annotate", "review"])} if verb == "reopen" else {}
        version = task["version"] - (1 if stale else 0)
        if verb == "archive":
            person.project.archived.append(task["id"])
        self.call(person, "POST", f"/v1/tasks/{task['id']}/{verb}", body, version, op=verb, task=task["id"])

    def take_in(self, person):
        """Late work, or an old label, becomes the task's label."""
        late = person.project.late and self.dice.random() < 0.7
        if not late and not person.project.labels:
            return
        label, task = self.dice.choice(person.project.late if late else person.project.labels)
        now = self.call(person, "GET", f"/v1/tasks/{task}", keyed=False, op="read")
        if now is None:
            return
        verb = self.dice.choice(["adopt", "adopt", "merge", "dismiss"]) if late else "restore-label"
        if verb == "dismiss":
            self.call(person, "POST", f"/v1/labels/{label}/dismiss", None, op="dismiss")
        elif late:
            self.call(person, "POST", f"/v1/labels/{label}/{verb}", None, now["version"], op="adopt", task=task)
        else:
            self.call(person, "POST", f"/v1/tasks/{task}/restore-label", {"label": label}, now["version"], op="adopt", task=task)

    def some_tasks(self, person):
        return self.dice.sample(person.project.tasks[-60:], min(3, len(person.project.tasks)))

    def bulk(self, person):
        tasks = self.some_tasks(person)
        if tasks:
            self.call(person, "POST", f"{person.project.path}/accept", {"tasks": tasks}, again=False, op="bulk", tasks=tasks)

    def queue(self, person):
        tasks, verb = self.some_tasks(person), self.dice.choice(["assign", "unassign", "prioritize"])
        body = {"tasks": tasks}
        if verb == "prioritize":
            body["priority"] = self.dice.randint(-5, 5)
        else:
            body["stage"] = self.dice.choice(["annotate", "review"])
        if verb == "assign":
            body |= {"user": self.dice.choice([p.id for p in person.project.people if p.role in STAGES]), "revoke": self.dice.random() < 0.3}
        if tasks:
            self.call(person, "POST", f"{person.project.path}/{verb}", body, again=False, op=verb, tasks=tasks)

    def trespass(self, person):
        """At what is another tenant's."""
        there = self.dice.choice([p for p in self.storm.projects if p.tenant != person.project.tenant])
        if not there.tasks or not there.work:
            return
        task, work = self.dice.choice(there.tasks), self.dice.choice(list(there.work))
        method, path, body, version = self.dice.choice([
            ("GET", f"/v1/tasks/{task}", None, None), ("GET", f"/v1/tasks/{task}/events", None, None),
            ("POST", f"{there.path}/claims", {"stage": "annotate"}, None), ("POST", f"/v1/tasks/{task}/archive", {}, 1),
            ("POST", f"/v1/assignments/{work['id']}/submit", {"result": self.label()}, work["version"]),
            ("POST", f"/v1/assignments/{work['id']}/release", None, work["version"])])
        self.once(self.some_server(), person, (method, path, body, version, None), {"op": "trespass", "foreign": there.tenant})


class Chaos(threading.Thread):
    """Somebody pulls plugs, at random moments, till told to stop."""

    def __init__(self, storm):
        super().__init__()
        self.storm, self.dice, self.over = storm, random.Random(storm.seed), threading.Event()
        self.counts, self.problem = collections.Counter(), None

    def run(self):
        try:
            with self.storm.cluster.connect(self.storm.database) as db:
                while not self.over.wait(self.dice.uniform(0.2, 1.6)):
                    kind = self.dice.choices(["kill", "terminate", "stop"], [5, 3, 1])[0]
                    self.counts[kind] += 1
                    getattr(self, kind)(self.dice.choice(self.storm.servers), db)
        except Exception as e:  # pylint: disable=broad-except
            self.problem = repr(e)
            raise

    def kill(self, server, _):
        server.kill()
        server.start()

    def terminate(self, _, db):
        db.execute("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE usename = 'annotate_api' AND datname = current_database() AND random() < %s""", (self.dice.choice([0.2, 1]),))

    def stop(self, server, _):
        """It sleeps, maybe longer than a lease, and then goes on with what it was at."""
        server.proc.send_signal(signal.SIGSTOP)
        self.over.wait(self.dice.choice([0.5, 2, LEASE + 1]))
        server.proc.send_signal(signal.SIGCONT)


class Storm:
    def __init__(self, operations, seed, directory):
        self.operations, self.seed, self.directory = operations, seed, pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.numbers, self.projects, self.over = itertools.count(1), [], threading.Event()

    def run(self):
        """The report."""
        start = time.monotonic()
        with contextlib.ExitStack() as stack:
            self.begin(stack)
            clients, chaos = [Client(self, n, self.operations // CLIENTS) for n in range(CLIENTS)], Chaos(self)
            everybody = [p for project in self.projects for p in project.people]
            random.Random(self.seed).shuffle(everybody)
            for n, person in enumerate(everybody):
                clients[n % CLIENTS].people.append(person)
            for thread in (*clients, chaos):
                thread.start()
            self.last(clients, chaos)
            chaos.over.set()
            chaos.join()
            counts = sum((c.counts for c in clients), collections.Counter())
            report = {"seed": self.seed, "operations": sum(c.sent for c in clients), "people": len(everybody),
                      "seconds": round(time.monotonic() - start, 1), **{str(k): v for k, v in sorted(counts.items(), key=str)},
                      **chaos.counts, "problems": [t.problem for t in (*clients, chaos) if t.problem]}
            state = self.state()
            (self.directory / "state.json").write_text(json.dumps(state))
            report |= {"events": len(state["events"]), "labels": len(state["labels"]), "tasks": len(state["tasks"]),
                       "rules": broken_rules(self.db, self.servers[0].directory / "blobs")}
        (self.directory / "report.json").write_text(json.dumps(report))
        return report

    def last(self, clients, chaos):
        """Until everybody is through."""
        end = time.monotonic() + LONGEST
        while any(client.is_alive() for client in clients):
            if time.monotonic() > end or self.enough(clients, chaos):
                self.over.set()
            time.sleep(0.2)

    def enough(self, clients, chaos):
        if any(client.sent < client.quota for client in clients) or chaos.counts["kill"] < 3:
            return False
        if any(sum(client.answered[op] for client in clients) < ENOUGH for op in ANSWERED):
            return False
        recorded = dict(self.db.execute("SELECT action, count(*) FROM event GROUP BY action").fetchall())
        return all(recorded.get(action, 0) >= ENOUGH for action in RECORDED)

    def begin(self, stack):
        self.cluster = Cluster()
        self.database = self.cluster.database()
        stack.callback(self.cluster.drop, self.database)
        self.db = stack.enter_context(self.cluster.connect(self.database))
        first = Server(self.cluster, self.database, user_rate=0)
        stack.callback(first.stop)
        second = Server(self.cluster, self.database, user_rate=0, blobs=first.blobs, token_key_file=first.directory / "token.key")
        stack.callback(second.stop)
        self.servers = [first, second]
        upkeep = Worker("upkeep", first, poll_ms=50)
        stack.callback(upkeep.stop)
        office = Office(first)
        for workflow, tenant in itertools.product(WORKFLOWS, TENANTS):
            project = Project(office.project(workflow=CHOICES | workflow, tenant=tenant), tenant)
            for role, count in (CROWD | ({"model": 4} if workflow.get("prelabel") else {})).items():
                project.people += [Person(i, token, role, project)
                                   for i, token in people(self.db, first, office, project.id, count, role, tenant)]
            self.projects.append(project)

    def rows(self, sql):
        with self.db.cursor() as c:
            c.execute(sql)
            names = [d.name for d in c.description]
            return [dict(zip(names, row)) for row in c]

    def state(self):
        """One snapshot, as requests that nobody waits for may still be at work."""
        with self.db.transaction():
            self.db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return self.read_state()

    def read_state(self):
        """What the database holds, and what lies in the packs."""
        legal = re.findall(r"^(MOVE|STAY)\((\w+), (\w+)(?:, (\w+))?\)", (ROOT / "core/workflow.def").read_text(), re.M)
        names = dict(self.db.execute("SELECT id, name FROM tenant").fetchall())
        labels = self.rows("""SELECT tenant_id AS tenant, id, project_id AS project, task_id AS task, seq, kind, author, model, bytes,
            encode(sha256, 'hex') AS sha256, pack, pack_off, tenant_id FROM label_version""")
        for row in labels:
            text, _ = document(self.servers[0].directory / "blobs", row.pop("tenant_id"), row.pop("pack"), row.pop("pack_off"), row["bytes"], b"")
            row["read_sha256"] = hashlib.sha256(text).hexdigest()
        state = {
            "legal": [(row[1].lower(), row[2].lower(), (row[3] or row[1]).lower()) for row in legal],
            "moves": sorted({row[2].lower() for row in legal if row[0] == "MOVE"}),
            "people": self.rows("SELECT id, tenant_id AS tenant FROM app_user"),
            "projects": self.rows("SELECT id, tenant_id AS tenant FROM project"),
            "labels": labels,
            "tasks": self.rows("""SELECT tenant_id AS tenant, id, project_id AS project, version, state, head_label AS head, label_seq
                FROM task"""),
            "assignments": self.rows("""SELECT tenant_id AS tenant, id, project_id AS project, task_id AS task, stage, slot, version, holder,
                state FROM assignment"""),
            "events": self.rows("""SELECT tenant_id AS tenant, seq, project_id AS project, task_id AS task, task_version AS version, actor,
                assignment_id AS assignment, assignment_version AS slot_version, label_id AS label, action, from_state AS from,
                to_state AS to, extract(epoch FROM at)::float8 AS at, coalesce(detail->>'bulk', '') = 'true' AS bulk
                FROM event WHERE task_id IS NOT NULL"""),
        }
        for kind in ("people", "projects", "labels", "tasks", "assignments", "events"):
            for row in state[kind]:
                row["tenant"] = names[row["tenant"]]
        return state


def main(words):
    operations, seed = int(words[0]) if words else 100000, int(words[1]) if len(words) > 1 else int.from_bytes(os.urandom(3))
    directory = pathlib.Path(words[2] if len(words) > 2 else tempfile.mkdtemp(prefix="annotate-storm-"))
    print(f"storm: seed {seed}, {operations} operations, history in {directory}", flush=True)
    report = Storm(operations, seed, directory).run()
    found = history.check(*history.load(directory))
    print(json.dumps(report, indent=1))
    wrong = [f"{v.rule}: {v.where}: {v.text}" for v in found] + report["rules"] + report["problems"] + (["500"] if "500" in report else [])
    for line in wrong[:50]:
        print(line)
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    if wrong:
        print(f"kept: {directory}; python3 tests/support/history.py {directory}; again: storm.py {operations} {seed}")
    elif len(words) < 3:
        shutil.rmtree(directory)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
