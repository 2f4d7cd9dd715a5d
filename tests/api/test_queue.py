"""Nobody hears "nothing" while there is work for them, whatever lies before it: walks in steps of 3 rows, and no second lap to help."""
import os
import random
import threading
import time

import pytest

from kit import Desk, choice, people
from stand import ROOT, Client, Server

WALK = 3  # rows a step
FIRST, _, LAST = os.environ.get("QUEUE_SEEDS", "1-6").partition("-")  # QUEUE_SEEDS=7 or 1-200: others than the usual ones
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)
PLAIN = {"review": {"mode": "none"}}

# Open work of a project that a person may have now; docs/design.md §6 in one statement.
FOR_THEM = """SELECT a.id FROM assignment a LEFT JOIN project_member m ON m.project_id = a.project_id AND m.user_id = %(user)s
    WHERE a.project_id = %(project)s AND a.stage = %(stage)s AND a.state = 'open' AND coalesce(a.reserved_for, %(user)s) = %(user)s
      AND NOT %(user)s = ANY (a.excluded) AND (a.skills IS NULL OR a.skills <@ m.skills)
      AND NOT EXISTS (SELECT FROM assignment o WHERE o.holder = %(user)s AND o.task_id = a.task_id AND o.stage = 'annotate'
          AND a.stage = 'annotate' AND o.state IN ('leased', 'submitted', 'skipped') AND o.id <> a.id)"""


@pytest.fixture(scope="module")
def server(cluster, database):
    s = Server(cluster, database, claim_walk=WALK, claim_lap_s=86400)
    yield s
    s.stop()


class Person:
    def __init__(self, desk, server, user, token):
        self.desk, self.user, self.client, self.held = desk, user, Client(server.url), []
        self.client.headers["Authorization"] = f"Bearer {token}"

    def claim(self, **settings):
        """One assignment or None: what a claim beyond what is held answers, asked as long as it says so."""
        for _ in range(1000):
            got = self.client.ok("POST", f"{self.desk.path}/claims", json={"stage": "annotate", "more": True, **settings})
            if "unfinished" not in got:
                self.held += got["assignments"]
                return got["assignments"][0] if got["assignments"] else None
        raise AssertionError("it never comes to an end")

    def act(self, work, verb, body=None):
        self.held.remove(work)
        return self.client.post(f"/v1/assignments/{work['id']}/{verb}", json=body or {}, version=work["version"])

    def submit(self, work):
        assert self.act(work, "submit", {"result": choice("cat")}).status_code == 200

    def wait(self, seconds=20):
        """A claim that waits, in a thread: .join(), then .got and .took."""
        def run():
            start = time.monotonic()
            t.answer = self.client.post(f"{self.desk.path}/claims", json={"stage": "annotate", "more": True, "wait_s": seconds}, timeout=90)
            t.took = time.monotonic() - start
        t = threading.Thread(target=run)
        t.start()
        return t


def crew(db, server, desk, count, role="annotator"):
    return [Person(desk, server, *who) for who in people(db, server, desk.api, desk.project, count, role)]


def work_for(db, desk, user, stage="annotate"):
    return {row[0] for row in db.execute(FOR_THEM, {"user": user, "project": desk.project, "stage": stage})}


def upkeep(db, statement):
    """One round of a duty of annotate-upkeep."""
    db.execute((ROOT / f"schema/queries/{statement}.sql").read_text().replace("$1::int", "1000"))


# ---- any history ----

class History:
    """Random moves of a few people, their manager and time; each claim that gives nothing is held against FOR_THEM."""

    def __init__(self, db, server, api, seed):
        self.dice, self.db, self.server = random.Random(seed), db, server
        overlap = self.dice.choice([1, 2, 2, 3, 9])
        self.desk = Desk(api, tasks=self.dice.randint(3, 12), workflow={**PLAIN, "overlap": overlap, "skip_limit": 9})
        self.crew = crew(db, server, self.desk, self.dice.randint(2, 4))
        self.empty = self.claims = 0

    def tasks(self, most=6):
        return sorted(self.dice.sample(self.desk.tasks, min(most, len(self.desk.tasks))))

    def claim(self, who=None):
        who = who or self.dice.choice(self.crew)
        work = who.claim()
        self.claims += 1
        if work is None:
            self.empty += 1
            assert work_for(self.db, self.desk, who.user) == set()
        return work

    def hand_in(self):
        who = self.dice.choice(self.crew)
        if who.held:
            verb = self.dice.choice(["submit", "submit", "submit", "skip", "release"])
            work = self.dice.choice(who.held)
            who.act(work, verb, {"submit": {"result": choice("cat")}, "skip": {"reason": "x"}, "release": {}}[verb])  # may be late

    def expire(self):
        self.db.execute("""UPDATE assignment SET lease_expires_at = now() - interval '1 s' WHERE project_id = %s AND state = 'leased'
            AND id %% 3 = %s""", (self.desk.project, self.dice.randint(0, 2)))
        upkeep(self.db, "lease_expire")

    def run_out(self):
        self.db.execute("""UPDATE assignment SET reserved_until = now() - interval '1 s' WHERE project_id = %s AND state = 'open'
            AND reserved_for IS NOT NULL AND id %% 2 = %s""", (self.desk.project, self.dice.randint(0, 1)))
        upkeep(self.db, "reservation_expire")

    def manage(self):
        who = self.dice.choice(self.crew)
        verb, body = self.dice.choice([
            ("prioritize", {"priority": self.dice.randint(-2, 2)}), ("prioritize", {"priority": self.dice.randint(-2, 2)}),
            ("assign", {"stage": "annotate", "user": who.user, "revoke": self.dice.random() < 0.5}), ("unassign", {"stage": "annotate"})])
        self.desk("manager").ok("POST", f"{self.desk.path}/{verb}", json={**body, "tasks": self.tasks()})

    def skills(self):
        who = self.dice.choice(self.crew)
        self.desk("manager").ok("PUT", f"{self.desk.path}/members/{who.user}", json={
            "role": "annotator", "skills": self.dice.sample(["a", "b"], self.dice.randint(0, 2))})

    def arrive(self):
        items = [{"data": {"image": f"/{n}.png"}, "priority": self.dice.choice([0, 0, 0, -2, 2]),
                  "skills": self.dice.choice([[], [], ["a"], ["a", "b"]])} for n in range(self.dice.randint(1, 3))]
        made = self.desk.api.tasks(self.desk.project, items)
        self.desk.tasks += range(made["first_id"], made["last_id"] + 1)

    def reopen(self):
        task = self.desk.task(self.dice.choice(self.desk.tasks))
        if task["state"] in ("done", "skipped"):
            self.desk.move("reopen", task["id"], to="annotate")

    def run(self, steps):
        moves = [self.claim] * 9 + [self.hand_in] * 6 + [self.expire, self.run_out, self.manage, self.manage, self.skills, self.arrive,
                                                         self.reopen]
        for _ in range(steps):
            self.dice.choice(moves)()
        for who in self.crew:  # and in the end everybody finishes all they can
            self.desk("manager").ok("PUT", f"{self.desk.path}/members/{who.user}", json={"role": "annotator", "skills": ["a", "b"]})
        for _ in range(9 * len(self.desk.tasks)):
            got = [(who, self.claim(who)) for who in self.crew]
            for who, work in got:
                if work:
                    who.submit(work)
            if not any(work for _, work in got):
                return
        raise AssertionError("it never comes to an end")


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_said_only_when_there_is_nothing(db, server, api, seed):
    history = History(db, server, api, seed)
    history.run(300)
    assert history.claims > 50 and history.empty > 0


# ---- people together ----

def test_two_people_alternate_on_overlap_two(db, server, api):
    desk = Desk(api, tasks=30, workflow={**PLAIN, "overlap": 2})
    pair = crew(db, server, desk, 2)
    for n in range(60):
        work = pair[n % 2].claim()
        pair[n % 2].submit(work)
    assert [who.claim() for who in pair] == [None, None]
    assert {desk.state(t) for t in desk.tasks} <= {"done", "review"}


def test_nine_people_on_overlap_nine(db, server, api):
    desk = Desk(api, tasks=12, workflow={**PLAIN, "overlap": 9})
    nine = crew(db, server, desk, 9)
    dice = random.Random(9)
    left = {who: 12 for who in nine}
    while left:
        who = dice.choice(list(left))
        work = who.claim()
        assert work, "nothing, while there is work for them"
        who.submit(work)
        left[who] -= 1
        if not left[who]:
            del left[who]
            assert who.claim() is None
    assert db.execute("SELECT count(*) FROM assignment WHERE project_id = %s AND state = 'submitted'", (desk.project,)).fetchone() == (108,)
