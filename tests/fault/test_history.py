"""The checker of histories, checked: a history without a fault passes, and each fault that is planted in it is found by its name."""
import collections
import copy
import pickle

import pytest
import storm

FAULTS = {}


def fault(*rules):
    """A function that plants it; the checker must name one of these rules."""
    def add(plant):
        FAULTS[plant.__name__] = (plant, set(rules))
        return plant
    return add


class Story:
    """A history to spoil."""

    def __init__(self, attempts, state):
        self.attempts, self.state = attempts, state
        self.events = state["events"]
        self.events.sort(key=lambda e: e["seq"])
        self.moves = set(state["moves"])
        self.causes = collections.defaultdict(list)
        for a in attempts:
            self.causes[a["op"], a.get("assignment"), a["version"], a["person"]].append(a)

    def where(self, **facts):
        """Events with these properties."""
        return [e for e in self.events if all(e[k] in v if isinstance(v, tuple) else e[k] == v for k, v in facts.items())]

    def of_task(self, task):
        return [e for e in self.events if e["task"] == task]

    def task(self, ident):
        return next(t for t in self.state["tasks"] if t["id"] == ident)

    def label(self, ident):
        return next(row for row in self.state["labels"] if row["id"] == ident)

    def answered(self, *ops):
        return [a for a in self.attempts if a["op"] in ops and a["status"] == 200]

    def submitted(self):
        """Answered submits, one for each label."""
        return list({a["answer"]["label"]["id"]: a for a in self.answered("submit")}.values())

    def until(self):
        """The end of each lease that somebody was told of: (assignment, version) -> seconds."""
        ends = collections.defaultdict(float)
        for a in self.answered("claim", "heartbeat"):
            for w in a["answer"]["assignments"] if a["op"] == "claim" else [a["answer"]]:
                ends[w["id"], w["version"]] = max(ends[w["id"], w["version"]], w["until"])
        return ends

    def renumber(self, event, by):
        """The moves behind an event, and the task, get other versions."""
        for e in self.of_task(event["task"]):
            if e["seq"] > event["seq"]:
                e["version"] += by
        self.task(event["task"])["version"] += by

    def moves_of(self, task):
        return [e for e in self.of_task(task) if e["action"] in self.moves]

    def next_move(self, event):
        return next((e for e in self.moves_of(event["task"]) if e["seq"] > event["seq"]), None)

    def before(self, event):
        """What was last recorded of its assignment."""
        return max((e for e in self.of_task(event["task"]) if e["assignment"] == event["assignment"] and e["seq"] < event["seq"]),
                   key=lambda e: e["seq"], default=None)

    def ends_a_lease(self, event):
        """One that ran till then."""
        claim = self.before(event)
        return claim and (claim["action"], claim["slot_version"]) == ("claim", event["slot_version"])

    def attempts_of(self, event):
        return self.causes[event["action"], event["assignment"], event["slot_version"], event["actor"]]

    def acknowledged(self, **facts):
        """Events whose cause was told so."""
        return [e for e in self.where(**facts) if self.was_told(e)]

    def was_told(self, event):
        return any(a["status"] == 200 for a in self.attempts_of(event))

    def other_person(self, person):
        tenant = next(p["tenant"] for p in self.state["people"] if p["id"] == person)
        return next(p["id"] for p in reversed(self.state["people"]) if p["tenant"] == tenant and p["id"] != person)


@fault("lost update")
def an_update_is_lost(s):
    e = next(e for e in s.acknowledged(action="submit", to="annotate") if s.next_move(e))
    s.events.remove(e)
    s.renumber(e, -1)


@fault("lost update")
def two_updates_make_one_version(s):
    first, second = [a for a in s.submitted() if a["answer"]["task"]["state"] == "review"][:2]
    second["answer"]["task"] = copy.deepcopy(first["answer"]["task"])


@fault("missing event")
def the_last_update_is_lost(s):
    e = next(e for e in s.acknowledged(action="submit") if not s.next_move(e))
    s.events.remove(e)


@fault("double lease")
def two_people_are_given_one_assignment(s):
    a = next(a for a in s.answered("claim") if a["answer"]["assignments"])
    s.attempts.append(copy.deepcopy(a) | {"person": s.other_person(a["person"])})


@fault("double lease")
def an_assignment_is_given_out_while_it_is_leased(s):
    e = next(e for e in s.acknowledged(action="submit") if s.ends_a_lease(e))
    claim = s.before(e)
    s.events.append(claim | {"seq": e["seq"] - 0.5, "slot_version": claim["slot_version"] + 1, "actor": s.other_person(e["actor"])})


@fault("double lease")
def the_end_of_a_lease_is_missing(s):
    claims = (e for e in s.where(action="claim") if s.before(e))
    s.events.remove(next(s.before(e) for e in claims if s.before(e)["action"] in ("expire", "release") and s.ends_a_lease(s.before(e))))


@fault("lease taken away")
def a_lease_is_swept_before_its_end(s):
    until = s.until()
    e = next(e for e in s.where(action="expire") if (e["assignment"], e["slot_version"]) in until)
    e["at"] = until[e["assignment"], e["slot_version"]] - 2.5


@fault("missing event")
def a_claim_is_not_on_record(s):
    until = s.until()
    s.events.remove(next(e for e in s.where(action="claim") if (e["assignment"], e["slot_version"]) in until))


@fault("duplicated event")
def an_event_is_there_twice(s):
    s.events.append(dict(s.where(action="submit")[0]))


@fault("duplicated event")
def a_move_is_recorded_twice(s):
    s.events.append(s.where(action="accept")[0] | {"seq": s.events[-1]["seq"] + 1})


@fault("done twice", "stale work accepted")
def a_release_is_recorded_twice(s):
    e = s.where(action="release")[0]
    s.events.append(e | {"seq": e["seq"] + 0.5})


@fault("done twice")
def an_unknown_operation_happened_twice(s):
    e = next(e for e in s.where(action="submit", to="annotate") if s.next_move(e))
    s.renumber(e, 1)
    s.events.append(e | {"seq": e["seq"] + 0.5, "version": e["version"] + 1})


@fault("version gap")
def an_event_is_missing(s):
    s.events.remove(next(e for e in s.where(action="submit") if s.next_move(e)))


@fault("version gap")
def a_version_is_left_out(s):
    e = next(e for e in s.where(action="submit") if s.next_move(e))
    s.renumber(e, 1)


@fault("illegal transition")
def a_transition_is_illegal(s):
    e = next(e for e in s.where(action="accept") if s.next_move(e))
    e["to"] = s.next_move(e)["from"] = "annotate"


@fault("broken chain")
def a_transition_starts_elsewhere(s):
    e = next(e for e in s.where(action="submit", to="review") if s.next_move(e))
    e["to"] = "done"


@fault("stale work accepted")
def work_under_an_old_version_is_accepted(s):
    e = s.acknowledged(action="submit")[0]
    for a in s.attempts_of(e):
        a["version"] -= 1
    e["slot_version"] -= 1


@fault("failed operation with an effect")
def a_failed_operation_has_an_effect(s):
    e = s.acknowledged(action="submit")[0]
    for a in s.attempts_of(e):
        a.update(status=409, answer={})
        a.pop("late", None)


@fault("effect without a cause")
def nobody_asked_for_it(s):
    e = s.acknowledged(action="accept")[0]
    gone = [id(a) for a in s.attempts_of(e)]
    s.attempts[:] = [a for a in s.attempts if id(a) not in gone]


@fault("final state")
def a_task_is_elsewhere(s):
    s.state["tasks"][0]["state"] = "skipped" if s.state["tasks"][0]["state"] != "skipped" else "done"


@fault("final state")
def an_assignment_is_somebody_else_s(s):
    row = next(a for a in s.state["assignments"] if a["state"] == "submitted")
    row["holder"] = s.other_person(row["holder"])


@fault("label lost")
def an_acknowledged_label_is_lost(s):
    s.state["labels"].remove(s.label(s.answered("submit")[0]["answer"]["label"]["id"]))


@fault("label lost")
def late_work_is_lost(s):
    s.state["labels"].remove(s.label(next(a["late"] for a in s.attempts if a.get("late"))))


@fault("label changed")
def the_bytes_of_a_label_change(s):
    s.label(s.answered("submit")[0]["answer"]["label"]["id"])["read_sha256"] = "0" * 64


@fault("label changed")
def a_label_is_not_what_was_sent(s):
    first, second = (s.label(a["answer"]["label"]["id"]) for a in s.submitted()[:2])
    for name in ("sha256", "read_sha256"):
        first[name], second[name] = second[name], first[name]


@fault("real time")
def a_newer_version_was_there_before_an_older_one(s):
    moves = (s.next_move(e) for e in s.acknowledged(action="submit"))
    after = next(e for e in moves if e and e["action"] in ("accept", "fix", "reject") and s.was_told(e))
    for a in s.attempts_of(after):
        a.update(t0=1.0, t1=2.0)


@fault("stale read")
def a_read_shows_an_old_version(s):
    a = max(s.answered("read"), key=lambda a: (a["answer"]["version"], a["t1"]))
    e = next(e for e in s.where(task=a["answer"]["id"], version=1) if e["action"] == "import")
    s.attempts.append(a | {"t0": a["t1"] + 1, "t1": a["t1"] + 2, "answer": {"id": e["task"], "version": 1, "state": e["to"]}})


@fault("phantom read")
def a_read_shows_what_never_was(s):
    s.answered("read")[0]["answer"]["version"] += 100


@fault("another answer")
def a_key_gets_another_answer(s):
    a = next(a for a in s.answered("submit") if a["key"])
    other = copy.deepcopy(a) | {"t0": a["t1"] + 1, "t1": a["t1"] + 2}
    other["answer"]["label"]["seq"] += 1
    s.attempts.append(other)


@fault("another answer")
def a_key_is_refused_the_second_time(s):
    a = next(a for a in s.answered("skip") if a["key"])
    s.attempts.append(a | {"t0": a["t1"] + 1, "t1": a["t1"] + 2, "status": 409, "answer": {}})


@fault("one key, two requests")
def another_request_is_answered_under_a_key(s):
    a = next(a for a in s.answered("submit") if a["key"])
    s.attempts.append(a | {"t0": a["t1"] + 1, "t1": a["t1"] + 2, "op": "reuse", "request": "0" * 64})


@fault("self-review")
def somebody_accepts_their_own_label(s):
    pairs = ((e, s.next_move(e)) for e in s.where(action="submit", to="review"))
    e, after = next((e, after) for e, after in pairs if after and after["action"] == "accept")
    after["actor"] = e["actor"]


@fault("two slots of one person")
def somebody_has_two_slots(s):
    pairs = ((e, claim) for e in s.where(action="submit", to="annotate") for claim in s.where(task=e["task"], version=e["version"], action="claim"))
    e, claim = next((e, claim) for e, claim in pairs if claim["seq"] > e["seq"] and claim["assignment"] != e["assignment"])
    claim["actor"] = e["actor"]


def stranger(s, tenant):
    return next(p["id"] for p in s.state["people"] if p["tenant"] != tenant)


@fault("another tenant's row")
def a_label_is_another_tenant_s(s):
    s.state["labels"][0]["tenant"] = "b" if s.state["labels"][0]["tenant"] == "a" else "a"


@fault("another tenant's row")
def a_person_of_another_tenant_acts(s):
    e = s.where(action="submit")[0]
    e["actor"] = stranger(s, e["tenant"])


@fault("another tenant's answer")
def another_tenant_s_task_is_shown(s):
    a = s.answered("read")[0]
    a["tenant"] = "b" if a["tenant"] == "a" else "a"


@fault("another tenant's answer")
def a_trespasser_gets_in(s):
    next(a for a in s.attempts if a.get("foreign")).update(status=200, answer={})


@pytest.fixture(scope="module")
def good(recorded):
    return pickle.dumps(recorded[1:])


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(good, name):
    plant, rules = FAULTS[name]
    story = Story(*pickle.loads(good))
    plant(story)
    found = {v.rule for v in storm.history.check(story.attempts, story.state)}
    assert found & rules, f"found only {found or 'nothing'}"
