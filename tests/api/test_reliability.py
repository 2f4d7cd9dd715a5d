"""Agreement over a project, through the API, against what other programs say of the same codings (tests/support/judges.py), and that
the sums it is made of are exact whatever becomes of the labels."""
import collections
import itertools
import json

import pytest
from kit import BOXES, Desk, Line, box, people, problem, until
from stand import ROOT

CONFIG = """<View><Image name="image" value="$image"/><Rating name="stars" toName="image" maxRating="5"/>
<Choices name="kind" toName="image"><Choice value="v1"/><Choice value="v2"/><Choice value="v3"/><Choice value="v4"/><Choice value="v5"/></Choices>
<Number name="count" toName="image"/></View>"""
BASE = 1_000_000_000  # of the numbers: a mean far from nothing must not cost precision


@pytest.fixture(scope="module", autouse=True)
def upkeep(start_worker):
    """Two at a time: that they take nothing twice is part of every test here."""
    return [start_worker("upkeep", poll_ms=10) for _ in range(2)]


def settle(db):
    until(lambda: db.execute("""
        SELECT NOT EXISTS (SELECT FROM event WHERE NOT pg_visible_in_snapshot(xid,
                   (SELECT (position ->> 'prev')::pg_snapshot FROM reader_position WHERE name = 'digest')))
           AND NOT EXISTS (SELECT FROM agreement_stale)""").fetchone()[0], 60, "upkeep does not come to rest")
    assert sums_differ(db) == []


def sums_differ(db):
    """The sums of all that tasks give now, against those that were kept step by step."""
    return db.execute("""
        WITH now AS (
            SELECT project_id, k.user_id, k.other_id, control, kind, k.raters, k.va COLLATE "C" AS va, k.vb COLLATE "C" AS vb, count(*) AS n,
                   sum(CASE WHEN k.user_id = 0 AND k.va = '' THEN units ELSE 0 END) AS units, sum(score) AS score,
                   sum(CASE WHEN k.user_id = 0 AND k.va = '' THEN coalesce((number_a::numeric - number_b::numeric) ^ 2, 0) ELSE 0 END) AS d2
            FROM agreement_pair p CROSS JOIN LATERAL (VALUES
                (0::bigint, 0::bigint, p.raters, '', ''), (a, 0, 0, '', ''), (b, 0, 0, '', ''), (a, b, 0, '', ''), (b, a, 0, '', ''),
                (0, -1, p.raters, least(value_a, value_b), greatest(value_a, value_b)), (a, b, 0, value_a, value_b),
                (b, a, 0, value_b, value_a)) AS k(user_id, other_id, raters, va, vb)
            WHERE k.va IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8)
        SELECT coalesce(now.project_id, s.project_id), now.*, s.* FROM now
        FULL JOIN agreement_sum s ON s.project_id = now.project_id AND s.user_id = now.user_id AND s.other_id = now.other_id
            AND s.control = now.control AND s.kind = now.kind AND s.raters = now.raters AND s.value_a = va AND s.value_b = vb
        WHERE (coalesce(now.n, 0), coalesce(now.units, 0), coalesce(now.score, 0), coalesce(d2, 0))
            <> (coalesce(s.n, 0), coalesce(s.units, 0), coalesce(s.score, 0), coalesce(s.sum_d2, 0))
        UNION ALL -- what is taken back leaves nothing behind
        SELECT project_id, NULL::bigint, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.* FROM agreement_sum s
        WHERE n = 0 AND (units, score, numbers, sum_v, sum_v2, sum_d2) <> (0, 0, 0, 0, 0, 0)""").fetchall()


# ---- by the definitions; checked against the judges before it judges itself ----

def pairable(table):
    return [v for v in table.values() if len(v) > 1]


def alpha(table, distance):
    units = pairable(table)
    values = [v for u in units for v in u.values()]
    observed = sum(2 * distance(v, w) / (len(u) - 1) for u in units for v, w in itertools.combinations(u.values(), 2))
    expected = sum(n * m * distance(v, w) for (v, n), (w, m) in itertools.product(collections.Counter(values).items(), repeat=2))
    return 1 - (len(values) - 1) * observed / expected


def ordinal(table):
    counts = collections.Counter(v for u in pairable(table) for v in u.values())
    def distance(v, w):
        low, high = min(v, w), max(v, w)
        return (sum(n for value, n in counts.items() if low <= value <= high) - (counts[v] + counts[w]) / 2) ** 2
    return distance


def figures(table):
    units = pairable(table)
    values = collections.Counter(v for u in units for v in u.values())
    chance = sum((n / sum(values.values())) ** 2 for n in values.values())
    alike = [sum(v == w for v, w in itertools.combinations(u.values(), 2)) / (len(u) * (len(u) - 1) / 2) for u in units]
    return {"nominal": alpha(table, lambda v, w: v != w), "ordinal": alpha(table, ordinal(table)),
            "interval": alpha(table, lambda v, w: (v - w) ** 2), "fleiss": (sum(alike) / len(alike) - chance) / (1 - chance)}


def cohen(table, one, other, weigh):
    both = [(u[one], u[other]) for u in table.values() if one in u and other in u]
    used = sorted({v for pair in both for v in pair})
    rank = used.index
    mine, theirs = (collections.Counter(pair[i] for pair in both) for i in (0, 1))
    observed = sum(weigh(rank(v), rank(w)) for v, w in both) / len(both)
    expected = sum(n * m * weigh(rank(v), rank(w)) for v, n in mine.items() for w, m in theirs.items()) / len(both) ** 2
    return 1 - observed / expected


# ---- codings through the API ----

class Survey:
    """The codings of one vector, each handed in by a person of its own: as stars, as choice, as number."""

    def __init__(self, api, db, server, row):
        self.db, self.row, self.table = db, row, collections.defaultdict(dict)
        for unit, rater, value in row["rows"]:
            self.table[unit][rater] = value
        raters = sorted({r for _, r, _ in row["rows"]})
        self.desk = Desk(api, tasks=len(self.table), label_config=CONFIG, workflow={"overlap": len(raters), "agreement": {"threshold": 1}})
        self.unit_of = dict(zip(self.desk.tasks, sorted(self.table)))
        members = people(db, server, api, self.desk.project, len(raters))
        self.user = {rater: user for rater, (user, _) in zip(raters, members)}
        self.line = {rater: Line(server, token) for rater, (_, token) in zip(raters, members)}
        for rater in raters:
            self.work(rater)
        settle(db)

    def work(self, rater):
        """Hands in all that this person can have and has an opinion on."""
        line = self.line[rater]
        status, body = line.call("POST", f"{self.desk.path}/claims", {"stage": "annotate", "count": 256})
        assert status == 200
        for work in body["assignments"]:
            value = self.table[self.unit_of[work["task"]["id"]]].get(rater)
            if value is not None:
                status, answer = line.call("POST", f"/v1/assignments/{work['id']}/submit", {"result": coded(value)}, work["version"])
                assert status == 200, answer

    def get(self, path=""):
        return self.desk("reviewer").ok("GET", f"{self.desk.path}/agreement{path}")

    def controls(self):
        return {c["control"]: c for c in self.get()["controls"]}

    def other(self, one, other):
        [found] = [o for o in self.get(f"/people/{self.user[one]}?limit=500")["others"] if o["user"] == self.user[other]]
        return {c["control"]: c for c in found["controls"]}


def coded(value):
    return [{"id": "s", "from_name": "stars", "to_name": "image", "type": "rating", "value": {"rating": value}},
            {"id": "k", "from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": [f"v{value}"]}},
            {"id": "n", "from_name": "count", "to_name": "image", "type": "number", "value": {"number": BASE + value}}]


def near(value):
    return pytest.approx(value, abs=2e-6)


def check(survey, want):
    """The API's figures against these, and all else that can be counted from the table."""
    table, got = survey.table, survey.controls()
    units = pairable(table)
    pairs = [p for u in units for p in itertools.combinations(u.values(), 2)]
    for c in got.values():
        assert (c["units"], c["pairs"]) == (len(units), len(pairs))
    stars, kind, count = got["stars"], got["kind"], got["count"]
    assert (stars["kind"], kind["kind"], count["kind"]) == ("rating", "choices", "number")
    for c in (stars, kind):
        assert c["alpha"]["nominal"] == near(want["nominal"]) and c["observed"] == near(sum(v == w for v, w in pairs) / len(pairs))
        assert c["fleiss"] == near(want["fleiss"])
    assert (stars["alpha"]["ordinal"], stars["alpha"]["interval"]) == (near(want["ordinal"]), near(want["interval"]))
    assert (kind["alpha"]["ordinal"], kind["alpha"]["interval"], count["alpha"]["nominal"]) == (None, None, None)
    assert count["alpha"]["interval"] == near(want["interval"])
    assert kind["agreement"] == kind["observed"] and stars["agreement"] == near(sum(1 - abs(v - w) / 5 for v, w in pairs) / len(pairs))
    assert {(c["a"], c["b"]): c["n"] for c in stars["confusion"]} == collections.Counter(tuple(sorted(p)) for p in pairs)
    assert {(c["a"][0], c["b"][0]): c["n"] for c in kind["confusion"]} == collections.Counter(
        (f"v{v}", f"v{w}") for v, w in map(sorted, pairs))


def check_pair(survey, one, other, want):
    got = survey.other(one, other)
    both = [(u[one], u[other]) for u in survey.table.values() if one in u and other in u]
    assert got["stars"]["units"] == len(both)
    assert (got["stars"]["kappa"], got["stars"]["kappa_quadratic"]) == (near(want[0]), near(want[2]))
    assert (got["kind"]["kappa"], got["kind"]["kappa_quadratic"]) == (near(want[0]), None)
    assert {(c["a"], c["b"]): c["n"] for c in got["stars"]["confusion"]} == collections.Counter(both)
    assert got["kind"]["observed"] == got["kind"]["agreement"] == near(sum(v == w for v, w in both) / len(both))


VECTORS = json.loads((ROOT / "tests/data/reliability.json").read_text())


@pytest.mark.parametrize("nth", [0, 12, 18])  # Krippendorff's published table; 351 codings; people who rated only some
def test_the_judges_figures(api, db, server, nth):
    row = VECTORS[nth]
    survey = Survey(api, db, server, row)
    mine = figures(survey.table)
    for name, value in row["alpha"].items():
        assert name == "ratio" or mine[name] == pytest.approx(value)
    assert mine["fleiss"] == pytest.approx(row.get("fleiss", mine["fleiss"]))
    check(survey, mine | {k: v for k, v in row["alpha"].items() if k != "ratio"})
    one, other = sorted(survey.user)[:2]
    check_pair(survey, one, other, row["cohen"])
    for person in survey.get("/people?limit=500")["people"]:
        rater = {u: r for r, u in survey.user.items()}.get(person["user"])
        pairs = [u[rater] == v for u in survey.table.values() if rater in u for other, v in u.items() if other != rater]
        got = {c["control"]: c for c in person["controls"]}
        assert (set(got) == {"stars", "kind", "count"}) == bool(pairs)
        if pairs:
            assert (got["kind"]["pairs"], got["kind"]["agreement"]) == (len(pairs), near(sum(pairs) / len(pairs)))


def test_replaced_labels(api, db, server):
    """Rework, a reviewer's fix, an old version taken in again: after each the figures are those of what people say now."""
    survey = Survey(api, db, server, VECTORS[21])  # 60 units, 4 raters
    desk, before = survey.desk, survey.get()["controls"]
    by_user = {user: rater for rater, user in survey.user.items()}

    def send_back(many):
        """Reviews so many and rejects them; which slot opens, whose it was."""
        opened = []
        for work in desk.claims("reviewer", "review", count=many):
            desk.verdict("reviewer", work, "reject")
            [again] = [a for a in desk.task(work["task"]["id"])["assignments"] if a["stage"] == "annotate" and a["state"] == "open"]
            said = [v for v in desk.labels(work["task"]["id"]) if v["kind"] == "submission"]
            opened.append((survey.unit_of[work["task"]["id"]], by_user[said[again["slot"] - 1]["author"]]))
        return opened

    opened = send_back(9)
    assert len(opened) == 9
    settle(db)
    changed = {}
    for unit, rater in opened:  # what is sent back does not count until it comes again
        changed[unit, rater] = survey.table[unit].pop(rater)
    check(survey, figures(survey.table))
    for (unit, rater), value in changed.items():
        survey.table[unit][rater] = value % 5 + 1
    for rater in {r for _, r in changed}:
        survey.work(rater)
    settle(db)
    assert survey.get()["controls"] != before
    check(survey, figures(survey.table))
    one, other = sorted(survey.user)[:2]
    weights = (lambda i, j: i != j, lambda i, j: abs(i - j), lambda i, j: (i - j) ** 2)
    check_pair(survey, one, other, [cohen(survey.table, one, other, w) for w in weights])
    now = survey.get()["controls"]
    fixed = desk.claim("reviewer", "review")  # what a reviewer says is no annotator's coding
    desk.verdict("reviewer", fixed, "fix", result=coded(4))
    task = desk.task(fixed["task"]["id"])
    old = desk.labels(task["id"])[0]["id"]
    desk("reviewer").ok("POST", f"/v1/tasks/{task['id']}/restore-label", json={"label": old}, version=task["version"])
    settle(db)
    assert survey.get()["controls"] == now


def test_boxes_are_scored(api, db):
    desk = Desk(api, label_config=BOXES, workflow={"overlap": 3, "agreement": {"threshold": 1}})
    for role, x in (("annotator", 10.0), ("annotator2", 15.0), ("manager", 60.0)):
        desk.submit(role, desk.claim(role), box(x=x))
    settle(db)
    [control] = desk("reviewer").ok("GET", f"{desk.path}/agreement")["controls"]
    assert control == {"control": "box", "kind": "areas", "units": 1, "pairs": 3, "agreement": near(.6 / 3), "observed": None, "fleiss": None,
                       "alpha": {"nominal": None, "ordinal": None, "interval": None}, "confusion": None}
    people = {p["user"]: p["controls"] for p in desk("reviewer").ok("GET", f"{desk.path}/agreement/people")["people"]}
    assert [people[desk(role).user["id"]][0]["agreement"] for role in ("annotator", "annotator2", "manager")] == [near(.3), near(.3), 0]
    assert people[desk("viewer").user["id"]] == []


def test_one_alone_agrees_with_nobody(api, db):
    desk = Desk(api, workflow={"review": {"mode": "none"}})
    desk.annotate()
    two = Desk(api, workflow={"overlap": 2})
    two.annotate()
    settle(db)
    assert desk("manager").ok("GET", f"{desk.path}/agreement")["controls"] == []
    assert two("manager").ok("GET", f"{two.path}/agreement")["controls"] == []
    two.annotate("annotator2")
    settle(db)
    [control] = two("manager").ok("GET", f"{two.path}/agreement")["controls"]
    assert (control["agreement"], control["alpha"]["nominal"], control["fleiss"]) == (1, None, None)  # but one value: undefined
    assert control["confusion"] == [{"a": ["cat"], "b": ["cat"], "n": 1}]


def test_pages_and_who_may_see_them(api, db):
    desk = Desk(api, tasks=2, workflow={"overlap": 2})
    for role in ("annotator", "annotator2"):
        for _ in range(2):
            desk.annotate(role)
    settle(db)
    for path in ("", "/people", f"/people/{desk('annotator').user['id']}"):
        for role in ("annotator", "viewer", "model"):
            problem(desk(role).get(f"{desk.path}/agreement{path}"), 403)
    whole = desk("qa").ok("GET", f"{desk.path}/agreement/people?limit=500")["people"]
    found, after = [], 0
    while after is not None:
        page = desk("qa").ok("GET", f"{desk.path}/agreement/people?limit=2&after={after}")
        found, after = found + page["people"], page["next"]
    assert found == whole and len(whole) == 8
    others = desk("qa").ok("GET", f"{desk.path}/agreement/people/{desk('annotator').user['id']}")["others"]
    assert [o["user"] for o in others if o["controls"]] == [desk("annotator2").user["id"]]
