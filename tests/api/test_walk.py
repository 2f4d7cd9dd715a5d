"""Everybody does anything, in any order: a seeded random walk over HTTP. No answer is a 5xx, every rule of kit.RULES holds, and in
the end all of it can be finished."""
import os
import random

import pytest

from kit import Desk, broken_rules, choice, people
from stand import Client

FIRST, _, LAST = os.environ.get("WALK_SEEDS", "1-4").partition("-")  # WALK_SEEDS=7 or 1-200: others than the usual ones
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)
STEPS, TASKS = 500, 8

WORKFLOWS = [
    {"qa": {"percent": 50}, "max_rework": 1, "skip_limit": 2},
    {"overlap": 2, "qa": {"percent": 100}, "review": {"mode": "sample", "percent": 50}, "max_rework": 1},
    {"overlap": 3, "skip_limit": 3, "agreement": {"threshold": 0.5}},
    {"prelabel": True, "auto_accept": True, "auto_accept_score": 0.5, "overlap": 2, "max_rework": 0},
]


class Walker:
    """A crowd of people who remember every assignment they ever had, and go on using what is long over."""

    def __init__(self, db, server, api, seed):
        self.dice, self.desk, self.db = random.Random(seed), Desk(api, tasks=TASKS, workflow=WORKFLOWS[seed % 4]), db
        self.clients, self.had, self.acknowledged = {}, {}, {}
        for role, count in (("annotator", 5), ("reviewer", 3), ("qa", 2), ("manager", 3), ("model", 1)):
            for n, (_, token) in enumerate(people(db, server, api, self.desk.project, count, role)):
                client = Client(server.url)
                client.headers["Authorization"] = f"Bearer {token}"
                self.clients[role, n] = client
        self.stages = {"annotator": ["annotate"], "reviewer": ["review", "annotate"], "qa": ["qa", "review"],
                       "manager": ["annotate", "review", "qa"], "model": ["prelabel"]}

    def post(self, client, path, body=None, version=None):
        answer = client.post(path, json=body, version=version)
        assert answer.status_code < 500, f"{path}: {answer.text}"
        body = answer.json()
        label = (body.get("label") or {}).get("id") if answer.status_code == 200 else body.get("late_label")
        if label:
            self.acknowledged[label] = answer.request.body
        return answer

    def claim(self, who):
        stage = self.dice.choice(self.stages[who[0]])
        body = {"stage": stage, "count": self.dice.randint(1, 3), "more": self.dice.random() < 0.2}
        answer = self.post(self.clients[who], f"{self.desk.path}/claims", body)
        assert answer.status_code == 200
        self.had.setdefault(who, []).extend(answer.json()["assignments"])
        return answer.json()["assignments"]

    def hand_in(self, who, work):
        """In the way of its stage; the answer."""
        label = choice(self.dice.choice(["cat", "cat", "dog"]))
        path, client = f"/v1/assignments/{work['id']}", self.clients[who]
        if work["stage"] == "prelabel":
            entry = {"assignment": work["id"], "version": work["version"], "model": "m@1"}
            entry |= {"result": label, "score": self.dice.random()} if self.dice.random() < 0.8 else {"error": "decode"}
            return self.post(client, f"{self.desk.path}/predictions", {"predictions": [entry]})
        if work["stage"] == "annotate":
            return self.post(client, f"{path}/submit", {"result": label}, work["version"])
        verdict = self.dice.choice(["accept", "accept", "reject", "fix"])
        body = {"verdict": verdict} | ({"result": label} if verdict == "fix" else {})
        return self.post(client, f"{path}/verdict", body, work["version"])

    def step(self):
        who = self.dice.choice(list(self.clients))
        kind = self.dice.choices(["claim", "hand in", "skip", "release", "draft", "move", "expire"], [10, 14, 1, 2, 1, 4, 1])[0]
        if kind == "claim":
            self.claim(who)
        elif kind == "expire":
            self.db.execute("""WITH e AS (UPDATE assignment SET state = 'open', lease_expires_at = NULL WHERE id IN (SELECT id FROM assignment
                    WHERE project_id = %s AND state = 'leased' ORDER BY random() LIMIT 1) RETURNING *)
                INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version, action, from_state, to_state)
                SELECT e.tenant_id, e.project_id, e.task_id, t.version, e.holder, e.id, e.version, 'expire', t.state, t.state
                FROM e JOIN task t ON t.tenant_id = e.tenant_id AND t.id = e.task_id""", (self.desk.project,))
        elif kind == "move":
            self.move()
        elif self.had.get(who):
            work = self.dice.choice(self.had[who][-6:])
            path = f"/v1/assignments/{work['id']}"
            if kind == "hand in":
                self.hand_in(who, work)
            elif kind == "draft":
                self.clients[who].put(f"{path}/draft", json={"result": []}, version=work["version"])
            elif who[0] != "model":
                self.post(self.clients[who], f"{path}/{kind}", {} if kind == "skip" else None, work["version"])

    def move(self):
        task = self.desk.task(self.dice.choice(self.desk.tasks))
        verb = self.dice.choice(["reopen", "archive", "restore"] if task["state"] != "archived" else ["restore"])
        body = {"to": self.dice.choice(["annotate", "review"])} if verb == "reopen" else {}
        self.post(self.clients["manager", 0], f"/v1/tasks/{task['id']}/{verb}", body, task["version"])

    def finish(self):
        """Archived tasks come back; then people work till all is done or skipped."""
        for task in self.desk.tasks:
            if self.desk.state(task) == "archived":
                self.desk.move("restore", task)
        self.db.execute("UPDATE assignment SET reserved_for = NULL, reserved_until = NULL WHERE project_id = %s AND state = 'open'", (self.desk.project,))
        for _ in range(60):
            for who in self.clients:
                for work in self.claim(who):
                    self.accept(who, work)
            if not self.left():
                return

    def accept(self, who, work):
        path, version = f"/v1/assignments/{work['id']}", work["version"]
        if work["stage"] in ("review", "qa"):
            answer = self.post(self.clients[who], f"{path}/verdict", {"verdict": "fix", "result": choice("cat")}, version)
        elif work["stage"] == "annotate":
            answer = self.post(self.clients[who], f"{path}/submit", {"result": choice("cat")}, version)
        else:
            answer = self.hand_in(who, work)
        assert answer.status_code == 200, answer.text

    def left(self):
        return {t: s for t in self.desk.tasks if (s := self.desk.state(t)) not in ("done", "skipped")}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_walk(db, server, api, seed):
    walker = Walker(db, server, api, seed)
    for n in range(STEPS):
        walker.step()
        if n % 50 == 49:
            assert broken_rules(db) == [], f"seed {seed}, step {n}"
    walker.finish()
    left = walker.left()
    assert left == {}, [walker.desk.task(t) for t in left]
    stored = {row[0] for row in db.execute("SELECT id FROM label_version WHERE project_id = %s", (walker.desk.project,))}
    assert set(walker.acknowledged) <= stored and len(walker.acknowledged) > TASKS
