"""Lists and statistics: random filters against a model in Python, sums against the events they are made of, who may see what."""
import datetime
import itertools
import json
import math
import random

import pytest

from kit import Desk, choice, problem, until

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
STATES = ("prelabel", "annotate", "review", "qa", "done", "skipped", "archived")


@pytest.fixture(scope="module", autouse=True)
def upkeep(start_worker):
    """Two at a time: that they do not count anything twice is part of every test here."""
    return [start_worker("upkeep", poll_ms=10) for _ in range(2)]


SETTLED = """
    SELECT NOT EXISTS (SELECT FROM event WHERE NOT pg_visible_in_snapshot(xid,
               (SELECT (position ->> 'prev')::pg_snapshot FROM reader_position WHERE name = 'digest')))
       AND NOT EXISTS (SELECT FROM label_stale) AND NOT EXISTS (SELECT FROM search_field WHERE state <> 'ready')"""


def settle(db):
    """Until upkeep has read every event there is."""
    until(lambda: db.execute(SETTLED).fetchone()[0], 60, "upkeep does not come to rest")


class Mill:
    """A project in which people do anything, under a seed."""

    def __init__(self, api, db, seed, tasks, steps, workflow=None):
        self.dice = random.Random(seed)
        self.db = db
        self.desk = Desk(api, tasks=0, workflow={"prelabel": True, "qa": {"percent": 60}, "skip_limit": 2} | (workflow or {}))
        made = api.tasks(self.desk.project, [self.item(i) for i in range(tasks)])
        self.desk.tasks = list(range(made["first_id"], made["last_id"] + 1))
        self.held = []
        self.predict()
        for _ in range(steps):
            self.step()

    def item(self, i):
        data = {"image": f"/{i}.png", "n": self.dice.choice([0, 1, 2.5, -3, 1e21, "1", True, None, [1]])}
        if self.dice.random() < .8:
            data["meta"] = {"site": self.dice.choice(["north", "north-east", "nørd", "süd", "\U0010ffff", "\U0010ffffx", ""])}
        item = {"data": data, "priority": self.dice.randrange(-2, 3)}
        if self.dice.random() < .7:
            item["external_id"] = self.dice.choice("abä") + str(i)
        return item

    def predict(self):
        work = self.desk.claims("model", "prelabel", count=256)
        self.dice.shuffle(work)
        for w in work[:-3]:
            body = {"assignment": w["id"], "version": w["version"], "model": "m"}
            body |= {"error": "decode"} if self.dice.random() < .1 else {
                "result": choice(self.dice.choice(["cat", "dog"])), "score": self.dice.choice([.1, .25, .9, 1])}
            self.desk("model").ok("POST", f"{self.desk.path}/predictions", json={"predictions": [body]})

    def step(self):
        who, stage = self.dice.choice([("annotator", "annotate"), ("annotator2", "annotate"), ("manager", "annotate"),
                                       ("reviewer", "review"), ("qa", "review"), ("qa", "qa")])
        if self.dice.random() < .05:
            self.move()
        for work in self.desk.claims(who, stage, more=True):
            what = self.dice.random()
            if what < .15:
                self.held.append(work)  # and keep it
            elif what < .25 and stage == "annotate":
                self.desk.done(who, work, "skip")
            else:
                self.hand_in(who, stage, work)

    def hand_in(self, who, stage, work):
        lead = {"lead_time": self.dice.choice([.05, .1, 3, 12.5, 700])} if self.dice.random() < .5 else {}
        label = choice(self.dice.choice(["cat", "dog"]))
        if stage == "annotate":
            self.desk.done(who, work, "submit", {"result": label} | lead)
            return
        verdict = self.dice.choice(["accept", "accept", "fix", "reject"])
        body = {"verdict": verdict} | ({"result": label} if verdict == "fix" else {}) | lead
        if self.dice.random() < .4:
            body["comments"] = [{"text": "look again"}]
        self.desk.done(who, work, "verdict", body)

    def move(self):
        task = self.desk.task(self.dice.choice(self.desk.tasks))
        verb = "restore" if task["state"] == "archived" else self.dice.choice(["archive", "reopen"])
        self.desk("manager").post(f"/v1/tasks/{task['id']}/{verb}", json={} if verb == "reopen" else None, version=task["version"])


# ---- search ----

def facts(desk, db):
    """The tasks as a filter sees them, read by other ways than the search does."""
    tasks = {}
    for row in db.execute("""SELECT id, state, external_id, priority, rework_count, skip_count, created_at, updated_at, head_label,
            data::text FROM task WHERE project_id = %s ORDER BY id""", (desk.project,)).fetchall():
        task = dict(zip(("id", "state", "external_id", "priority", "rework_count", "skip_count", "created", "updated", "head", "data"), row))
        task["data"] = json.loads(task["data"])
        tasks[task["id"]] = task | {"assignee": set(), "annotator": set(), "label": set(), "has_comments": False, "score": None,
                                    "agreement": None, "stage": task["state"] if task["state"] in STATES[:4] else None}
    for task, stage, state, holder in db.execute("SELECT task_id, stage, state, holder FROM assignment WHERE project_id = %s", (desk.project,)):
        if state == "leased":
            tasks[task]["assignee"].add(holder)
        if state == "submitted" and stage == "annotate":
            tasks[task]["annotator"].add(holder)
    for task, score in db.execute("SELECT task_id, score::text::float8 FROM label_version WHERE project_id = %s AND kind = 'prelabel' ORDER BY seq",
                                  (desk.project,)):
        tasks[task]["score"] = score
    for task, in db.execute("SELECT DISTINCT task_id FROM comment"):
        if task in tasks:
            tasks[task]["has_comments"] = True
    for task in tasks.values():
        if task["head"]:
            task["label"] = {c for item in desk.result(task["head"]) for c in item["value"]["choices"]}
    return tasks


def value_at(task, path):
    value = task["data"]
    for key in path.split(".")[1:]:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, int, float)) else None


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


COMPARE = {"lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b}


def holds(test, task):
    field, op, want = test["field"], test["op"], test["value"]
    have = value_at(task, field) if field.startswith("data.") else task[field]
    if isinstance(have, set):
        return bool(have & set(want if op == "in" else [want]))
    if have is None:
        return False
    if isinstance(have, datetime.datetime):
        return COMPARE[op](have, moment(want))
    if op == "prefix":
        return isinstance(have, str) and have.startswith(want)
    if op in COMPARE:
        return not isinstance(have, str) and COMPARE[op](have, want)
    return any(isinstance(have, str) == isinstance(w, str) and have == w for w in (want if op == "in" else [want]))


def matches(filter, task):
    if filter is None:
        return True
    if "and" in filter:
        return all(matches(f, task) for f in filter["and"])
    if "or" in filter:
        return any(matches(f, task) for f in filter["or"])
    return not matches(filter["not"], task) if "not" in filter else holds(filter, task)


class Filters:
    def __init__(self, dice, tasks, people):
        self.dice = dice
        some = list(tasks.values())
        times = sorted({t["updated"] for t in some} | {t["created"] for t in some})
        texts = [t["external_id"] for t in some if t["external_id"]]
        numbers = [-3, 0, 1, 2, 2.5, 1e21]
        cmp = ["lt", "le", "gt", "ge"]
        self.fields = {
            "state": (["eq", "in"], STATES), "stage": (["eq", "in"], STATES[:4]), "assignee": (["eq", "in"], people),
            "annotator": (["eq", "in"], people), "label": (["eq", "in"], ["cat", "dog", "cow"]),
            "score": (["eq", "in", *cmp], [.1, .25, .5, .9, 1]), "agreement": (["ge", "lt"], [.5]),
            "created": (cmp, [t.isoformat() for t in times]), "updated": (cmp, [t.isoformat() for t in times]),
            "external_id": (["eq", "in", "prefix"], [*texts, *"abä", "a1", "zzz"]),
            "priority": (["eq", "in", *cmp], [-2, -1, 0, 1.5, 2]), "rework_count": (["eq", *cmp], [0, 1, 2]),
            "skip_count": (["eq", "ge"], [0, 1]), "has_comments": (["eq"], [True, False]),
            "data.n": (["eq", "in", *cmp], numbers), "data.meta.site": (["eq", "in", "prefix"], ["n", "north", "nø", "süd", "\U0010ffff", "x"]),
        }

    def test(self):
        field = self.dice.choice([*self.fields, "label", "data.n", "data.meta.site", "score", "external_id"])
        ops, values = self.fields[field]
        op = self.dice.choice(ops)
        value = [self.dice.choice(values) for _ in range(self.dice.randrange(1, 4))] if op == "in" else self.dice.choice(values)
        if field == "data.n" and op == "eq" and self.dice.random() < .3:
            value = self.dice.choice(["1", "true"])
        return {"field": field, "op": op, "value": value}

    def any(self, depth=0):
        kind = self.dice.choice(["and", "and", "or", "not", "test", "test"]) if depth < 3 else "test"
        if kind == "test":
            return self.test()
        if kind == "not":
            return {"not": self.any(depth + 1)}
        return {kind: [self.any(depth + 1) for _ in range(self.dice.randrange(1, 4))]}


def search(desk, role="viewer", **body):
    """All pages; the tasks in the order they came in."""
    found = []
    for _ in range(1000):
        page = desk(role).ok("POST", f"{desk.path}/tasks/search", json=body)
        assert len(page["tasks"]) <= body.get("limit", 100)
        found += page["tasks"]
        if page["next"] is None:
            return found
        body["after"] = page["next"]
    raise AssertionError("the pages have no end")


PATHS = ("data.n", "data.meta.site")


@pytest.fixture(scope="module")
def mill(api, db):
    mill = Mill(api, db, seed=4, tasks=70, steps=170)
    for path in PATHS:
        mill.desk("manager").ok("PUT", f"{mill.desk.path}/fields/{path}")
    settle(db)
    return mill


def people_of(desk):
    return [desk(role).user["id"] for role in ("annotator", "annotator2", "manager", "reviewer", "qa")]


@pytest.mark.parametrize("seed", range(3))
def test_random_filters(mill, db, seed):
    desk, dice = mill.desk, random.Random(seed)
    tasks = facts(desk, db)
    assert {t["state"] for t in tasks.values()} >= {"prelabel", "annotate", "review", "done"}
    filters = Filters(dice, tasks, people_of(desk))
    hits = 0
    for _ in range(100):
        body = {"filter": filters.any(), "limit": dice.choice([1, 7, 500])}
        if dice.random() < .6:
            body["sort"] = dice.choice(["id", "-id"])
        want = [id for id, task in tasks.items() if matches(body["filter"], task)]
        got = [t["id"] for t in search(desk, **body)]
        if body.get("sort") == "-id":
            want.reverse()
        assert (got if "sort" in body else sorted(got)) == want, json.dumps(body)
        assert len(set(got)) == len(got)
        hits += 0 < len(want) < len(tasks)
    assert hits > 30


def test_what_a_search_answers(mill):
    """The same as the task itself."""
    desk = mill.desk
    for found in search(desk, limit=50):
        task = desk.task(found["id"])
        assert {k: task[k] for k in ("state", "version", "external_id", "priority", "overlap", "rework_count", "data", "created_at")} \
            == {k: found[k] for k in ("state", "version", "external_id", "priority", "overlap", "rework_count", "data", "created_at")}
    assert [t["id"] for t in search(desk, limit=9)] == desk.tasks


def test_one_request_looks_at_so_many_tasks_and_no_more(api, db):
    desk = Desk(api, tasks=0)
    api.tasks(desk.project, [{"data": {"image": "x"}, "priority": int(i == 5900)} for i in range(6000)])
    page = desk("viewer").ok("POST", f"{desk.path}/tasks/search", json={"filter": {"field": "priority", "op": "eq", "value": 1}})
    assert page["tasks"] == [] and page["next"] and 5000 <= page["examined"] < 5500
    found = search(desk, filter={"field": "priority", "op": "eq", "value": 1})
    assert len(found) == 1 and found[0]["priority"] == 1
    settle(db)


def test_labels_follow_the_task(api, db):
    desk = Desk(api, workflow={"review": {"mode": "all"}})
    has = lambda value: [t["id"] for t in search(desk, filter={"field": "label", "op": "eq", "value": value})]  # noqa: E731
    desk.annotate("annotator", "cat")
    settle(db)
    assert (has("cat"), has("dog")) == (desk.tasks, [])
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "fix", result=choice("dog"))
    settle(db)
    assert (has("cat"), has("dog")) == ([], desk.tasks)


def test_agreement(api, db):
    """Of the last slot's submit; a task that one person has done has none."""
    desk = Desk(api, tasks=3, workflow={"overlap": 2})
    for _ in range(3):
        desk.annotate("annotator", "cat")
    one = desk.annotate("annotator2", "cat")["task"]["id"]
    other = desk.annotate("annotator2", "dog")["task"]["id"]
    settle(db)
    found = lambda op, value: [t["id"] for t in search(desk, filter={"field": "agreement", "op": op, "value": value})]  # noqa: E731
    assert (found("eq", 1), found("lt", 1), found("le", 1)) == ([one], [other], [other, one])


def test_what_comes_after_the_declaration_is_found(api, db):
    desk = Desk(api, tasks=3)
    desk("manager").ok("PUT", f"{desk.path}/fields/data.image")
    made = api.tasks(desk.project, [{"image": "/later.png"}])
    settle(db)
    found = search(desk, filter={"field": "data.image", "op": "prefix", "value": "/"})
    assert sorted(t["id"] for t in found) == [*desk.tasks, made["first_id"]]
    assert [t["data"]["image"] for t in found] == ["/0.png", "/1.png", "/2.png", "/later.png"]  # in the order of the index


def test_paths_are_declared_and_given_up(api, db):
    desk = Desk(api)
    fields = f"{desk.path}/fields"
    asked = {"filter": {"not": {"field": "data.k1", "op": "eq", "value": "x"}}}
    answer = problem(desk("viewer").post(f"{desk.path}/tasks/search", json=asked), 422, "invalid", "/filter")
    assert "data.k1 is not indexed" in answer["detail"]
    for i in range(8):
        desk("manager").ok("PUT", f"{fields}/data.k{i}")
    problem(desk("manager").put(f"{fields}/data.k8"), 409, "conflict")
    assert desk("manager").ok("PUT", f"{fields}/data.k1")["path"] == "data.k1"  # again is fine
    settle(db)
    assert [f["path"] for f in desk("viewer").ok("GET", fields)["fields"]] == [f"data.k{i}" for i in range(8)]
    assert [t["id"] for t in search(desk, **asked)] == desk.tasks
    desk("manager").ok("DELETE", f"{fields}/data.k1", 204)
    settle(db)
    problem(desk("viewer").post(f"{desk.path}/tasks/search", json=asked), 422, "invalid", "/filter")
    problem(desk("manager").delete(f"{fields}/data.k1"), 404)
    desk("manager").ok("PUT", f"{fields}/data.k8")
    for bad in ("image", "data", "data.", "data.a..b", "data.a%27", "data.-1", "meta.a", "data.a.b.c.d.e.f.g.h.i"):
        assert desk("manager").put(f"{fields}/{bad}").status_code in (404, 422), bad
    settle(db)


def test_giving_up_a_path_forgets_its_values(api, db):
    desk = Desk(api, tasks=5)
    count = "SELECT count(*) FROM task_field WHERE project_id = %s AND field = 'data.image'"
    desk("manager").ok("PUT", f"{desk.path}/fields/data.image")
    settle(db)
    assert db.execute(count, (desk.project,)).fetchone() == (5,)
    desk("manager").ok("DELETE", f"{desk.path}/fields/data.image", 204)
    settle(db)
    assert db.execute(count, (desk.project,)).fetchone() == (0,)


BAD = [
    ({"filter": {"field": "password", "op": "prefix", "value": "$"}}, "/filter/field"),
    ({"filter": {"and": [{"field": "state", "op": "eq", "value": "qa"}, {"field": "tenant_id", "op": "eq", "value": 1}]}}, "/filter/and/1/field"),
    ({"filter": {"field": "state", "op": "contains", "value": "x"}}, "/filter/op"),
    ({"filter": {"field": "state", "op": "eq", "value": "x' OR 1=1"}}, "/filter/value"),
    ({"filter": {"not": {"not": {"not": {"not": {"not": {"field": "score", "op": "gt", "value": 0}}}}}}}, "/filter/not/not/not/not/not"),
    ({"filter": {"or": [{"field": "score", "op": "gt", "value": 0}] * 21}}, "/filter/or"),
    ({"filter": []}, "/filter"),
    ({"sort": "data"}, "/sort"), ({"sort": ""}, "/sort"), ({"limit": 501}, "/limit"), ({"after": 7}, "/after"), ({"after": "x"}, "/after"),
    ({"after": "0"}, "/after"), ({"after": "1.YQ"}, "/after"), ({"order": "id"}, "/order"),
    ({"after": "5", "filter": {"field": "score", "op": "gt", "value": 0}}, "/after"),
    ({"after": "5.YQ", "filter": {"field": "score", "op": "gt", "value": 0}}, "/after"),
    ({"after": "5._w", "filter": {"field": "external_id", "op": "prefix", "value": "a"}}, "/after"),
]


@pytest.mark.parametrize("body, pointer", BAD, ids=lambda v: v if isinstance(v, str) else json.dumps(v)[:40])
def test_refused(mill, body, pointer):
    problem(mill.desk("viewer").post(f"{mill.desk.path}/tasks/search", json=body), 422, "invalid", pointer)


def test_texts_are_values_never_words_of_a_statement(mill):
    for text in ("'", "';--", "\\", "%", "_", "$1", "a\u0001b"):
        assert search(mill.desk, filter={"field": "external_id", "op": "prefix", "value": text}) == []
        assert search(mill.desk, filter={"field": "label", "op": "eq", "value": text}) == []


def test_another_tenant_is_not_searched(mill, api, db):
    other = Desk(api, tenant="b", tasks=2)
    settle(db)
    assert sorted(t["id"] for t in search(other)) == other.tasks
    for role in ("manager", "viewer", "admin"):
        problem(other(role).post(f"{mill.desk.path}/tasks/search", json={}), 404)
        problem(other(role).get(f"{mill.desk.path}/people"), 404)


# ---- statistics ----

HAND_IN = ("submit", "skip", "accept", "fix", "reject", "pass", "fail", "prelabelled")
DONE = (*HAND_IN, "prelabel_failed", "late", "expire")


def events(db, project):
    """Every hand-in with its time, worked out event by event."""
    rows = db.execute("""SELECT seq, task_id, actor, action, from_state, at, assignment_id, assignment_version, label_id
        FROM event WHERE project_id = %s AND task_id IS NOT NULL ORDER BY seq""", (project,)).fetchall()
    leads = dict(db.execute("SELECT id, lead_time::float8 FROM label_version WHERE project_id = %s", (project,)).fetchall())
    claims = {(r[6], r[7]): r[5] for r in rows if r[3] == "claim"}
    submitted, out = set(), []
    for seq, task, actor, action, stage, at, assignment, version, label in rows:
        if action not in DONE or stage not in STATES[:4]:
            continue
        lead = leads.get(label)
        if lead is None and (assignment, version) in claims:
            lead = (at - claims[assignment, version]).total_seconds()
        day = at.astimezone(datetime.timezone.utc).date().isoformat()
        out.append((actor, day, stage, action, lead if action in HAND_IN else None))
        if action == "submit":
            if (actor, task) in submitted:
                out.append((actor, day, stage, "resubmit", None))
            submitted.add((actor, task))
    return out


def judged(db, project):
    """What became of whose label."""
    words = {"accept": "accepted", "fix": "fixed", "reject": "rejected", "pass": "passed", "fail": "failed"}
    return [(author, at.astimezone(datetime.timezone.utc).date().isoformat(), stage, words[verdict], None)
            for author, at, stage, verdict in db.execute("""
                SELECT l.author, r.created_at, r.stage, r.verdict FROM review r
                JOIN label_version l ON l.tenant_id = r.tenant_id AND l.id = r.label_id
                WHERE l.project_id = %s AND l.author IS NOT NULL""", (project,)).fetchall()]


def check_work(work, want):
    """An answer's `work` against the hand-ins it stands for."""
    stages = sorted({w[2] for w in want}, key=STATES.index)
    assert [w["stage"] for w in work] == stages
    for part in work:
        mine = [w for w in want if w[2] == part["stage"]]
        counts = {a: sum(w[3] == a for w in mine) for a in {w[3] for w in mine}}
        assert part["actions"] == counts
        leads = sorted(w[4] for w in mine if w[4] is not None)
        if not leads:
            assert part["lead"] is None
            continue
        lead = part["lead"]
        assert lead["n"] == len(leads) and abs(lead["sum_s"] - sum(leads)) <= 0.001 * len(leads)
        for q, got in ((.5, lead["p50_s"]), (.95, lead["p95_s"])):
            exact = leads[math.ceil(q * len(leads)) - 1]
            assert max(exact, .1) - .001 <= got <= max(exact, .1) * 2 ** .25 + .001, (q, exact, got)


def test_statistics_are_the_events(mill, db):
    desk = mill.desk
    all_work = events(db, desk.project) + judged(db, desk.project)
    assert {w[3] for w in all_work} >= {"submit", "skip", "accept", "fix", "reject", "pass", "prelabelled", "resubmit", "rejected"}
    people = desk("viewer").ok("GET", f"{desk.path}/people?limit=3")
    rest = desk("viewer").ok("GET", f"{desk.path}/people?after={people['next']}")
    people = people["people"] + rest["people"]
    assert [p["user"] for p in people] == sorted(m["user"] for m in desk("viewer").ok("GET", f"{desk.path}/members")["members"])
    for person in people:
        check_work(person["work"], [w for w in all_work if w[0] == person["user"]])
    days = desk("viewer").ok("GET", f"{desk.path}/throughput")
    assert {d["day"] for d in days["days"]} == {w[1] for w in all_work} and days["as_of"]
    for day in days["days"]:
        check_work(day["work"], [w for w in all_work if w[1] == day["day"]])
    reviewer = desk("reviewer").user["id"]
    for day in desk("manager").ok("GET", f"{desk.path}/throughput?user={reviewer}")["days"]:
        check_work(day["work"], [w for w in all_work if w[0] == reviewer and w[1] == day["day"]])


def wilson(k, n, z=1.959963984540054):
    """Wilson's interval of 1927, in his own terms."""
    p, d = k / n, 1 + z * z / n
    middle, half = (p + z * z / (2 * n)) / d, z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return {"rate": p, "low": max(0, middle - half), "high": min(1, middle + half)}


def test_quality_is_what_became_of_the_labels(mill, db):
    desk = mill.desk
    counted = {}
    for who, _, stage, action, _ in events(db, desk.project) + judged(db, desk.project):
        counted[who, stage, action] = counted.get((who, stage, action), 0) + 1
    seen = 0
    for p in desk("manager").ok("GET", f"{desk.path}/quality")["people"]:
        of = lambda stage, action: counted.get((p["user"], stage, action), 0)  # noqa: B023,E731
        names = {"submitted": ("annotate", "submit"), "resubmitted": ("annotate", "resubmit"), "accepted": ("review", "accepted"),
                 "fixed": ("review", "fixed"), "rejected": ("review", "rejected"), "qa_passed": ("qa", "passed"),
                 "qa_fixed": ("qa", "fixed"), "qa_failed": ("qa", "failed")}
        assert {name: p[name] for name in names} == {name: of(*key) for name, key in names.items()}
        reviewed = p["accepted"] + p["fixed"] + p["rejected"]
        seen += reviewed
        for rate, k, n in (("rework_rate", p["resubmitted"], p["submitted"]), ("rejection_rate", p["rejected"], reviewed),
                           ("correction_rate", p["fixed"] + p["rejected"], reviewed)):
            assert p[rate] == (pytest.approx(wilson(k, n), abs=2e-6) if n else None)
    assert seen > 10


def test_queues(mill, db):
    desk = mill.desk
    queues = {q["stage"]: q for q in desk("annotator").ok("GET", f"{desk.path}/queues")["queues"]}
    progress = desk.progress()["tasks"]
    for stage in STATES[:4]:
        assert queues[stage]["tasks"] == progress[stage]
        row = db.execute("""SELECT t.id, e.at FROM task t CROSS JOIN LATERAL (
                SELECT at FROM event e WHERE e.tenant_id = t.tenant_id AND e.task_id = t.id AND e.from_state <> e.to_state
                ORDER BY seq DESC LIMIT 1) e
            WHERE t.project_id = %s AND t.state = %s ORDER BY e.at, t.id LIMIT 1""", (desk.project, stage)).fetchone()
        oldest = queues[stage]["oldest"]
        assert (oldest and (oldest["task"], moment(oldest["since"]))) == row


def test_a_merged_label_is_judged_for_all_who_made_it(api, db):
    desk = Desk(api, workflow={"overlap": 2})
    desk.annotate("annotator", "cat")
    desk.annotate("annotator2", "cat")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    settle(db)
    quality = {p["user"]: p for p in desk("viewer").ok("GET", f"{desk.path}/quality")["people"]}
    assert [quality[desk(r).user["id"]]["accepted"] for r in ("annotator", "annotator2", "reviewer")] == [1, 1, 0]


def test_those_who_do_the_work_see_themselves(mill):
    desk = mill.desk
    for role in ("annotator", "annotator2", "model"):
        me = desk(role).user["id"]
        for what in ("people", "quality"):
            assert [p["user"] for p in desk(role).ok("GET", f"{desk.path}/{what}")["people"]] == [me]
        mine = desk(role).ok("GET", f"{desk.path}/throughput")["days"]
        assert mine == desk("manager").ok("GET", f"{desk.path}/throughput?user={me}")["days"] != []
        problem(desk(role).get(f"{desk.path}/throughput?user={desk('reviewer').user['id']}"), 403)
        assert desk(role).get(f"{desk.path}/throughput?user={me}").status_code == 200
    for role in ("viewer", "reviewer", "qa", "manager", "admin"):
        assert len(desk(role).ok("GET", f"{desk.path}/people")["people"]) > 5


@pytest.mark.parametrize("query, name", [("from=2026-02-30", "from"), ("to=yesterday", "to"), ("from=2026-1-1", "from"), ("user=0", "user"),
                                         ("from=2025-01-01&to=2026-01-02", "from"), ("from=2026-01-02&to=2026-01-01", "from"),
                                         ("from=1969-12-31", "from"), ("to=2026-01-01T00", "to")])
def test_days_that_are_none(mill, query, name):
    problem(mill.desk("viewer").get(f"{mill.desk.path}/throughput?{query}"), 422, "invalid", f"/{name}")


def test_days_without_work(mill):
    answer = mill.desk("viewer").ok("GET", f"{mill.desk.path}/throughput?from=2020-02-28&to=2020-03-01")
    assert (answer["from"], answer["to"], answer["days"]) == ("2020-02-28", "2020-03-01", [])


def test_nothing_counts_twice_when_upkeep_dies(api, db, upkeep):
    """Killed and started again while the events come in."""
    seeds = itertools.count(20)
    mills = []
    for _ in range(3):
        upkeep[0].kill()
        upkeep[1].kill()
        mills.append(Mill(api, db, next(seeds), tasks=10, steps=15))
        upkeep[0].start()
        upkeep[1].start()
        mills.append(Mill(api, db, next(seeds), tasks=10, steps=15))
    settle(db)
    for mill in mills:
        work = events(db, mill.desk.project) + judged(db, mill.desk.project)
        for person in mill.desk("viewer").ok("GET", f"{mill.desk.path}/people")["people"]:
            check_work(person["work"], [w for w in work if w[0] == person["user"]])
