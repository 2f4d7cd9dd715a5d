"""Checks a recorded history: what clients sent and were told (attempts) against what the database holds in the end (state). Pure: it
asks no server. Tasks are independent and every accepted change has a version of its own, so the order is known and each rule is
O(n log n).

attempts: one a request, {"op", "tenant", "person", "key", "request", "t0", "t1", "status", "answer", …}; t0, t1: CLOCK_MONOTONIC of
          one machine; status None: nobody knows (no answer, or 5xx)
state:    {"legal", "moves", "people", "projects", "tasks", "assignments", "events", "labels"}; see tests/fault/storm.py

`python3 tests/support/history.py DIRECTORY` checks one that was kept."""
import bisect
import collections
import json
import math
import pathlib
import sys

SLACK = 2.0  # seconds: now() is when a transaction began; it may have waited for a row since
ENDS = ("submit", "skip", "accept", "fix", "reject", "pass", "fail", "prelabelled", "prelabel_failed", "release", "expire", "unassign",
        "assign")
JUDGES = ("accept", "fix", "reject", "pass", "fail")
SLOT_HELD = ("leased", "submitted", "skipped")
QUEUE = ("assign", "unassign", "prioritize")

Violation = collections.namedtuple("Violation", "rule where text")
# What a 2xx promises of one task: its version afterwards, by which effect, between when and when.
Ack = collections.namedtuple("Ack", "task version state effect label sha")


def known(attempt):
    return attempt["status"] is not None


def ok(attempt):
    return known(attempt) and attempt["status"] < 300


def effects(a):
    """What a request may have done to tasks, as keys that its events have, too (effect_of)."""
    op, who = a["op"], a["person"]
    if op in ("submit", "fix"):
        return [(op, a["assignment"], a["version"], who, a["sha"]), ("late", a["assignment"], a["version"], who, a["sha"])]
    if op in ("accept", "reject", "pass", "fail", "skip", "release"):
        return [(op, a["assignment"], a["version"], who, None)]
    if op == "predictions":
        return [("prelabelled" if i["sha"] else "prelabel_failed", i["assignment"], i["version"], who, i["sha"]) for i in a["items"]]
    if op in ("archive", "restore", "reopen", "adopt"):
        return [(op, a["task"], a["version"] + 1, who)]
    if op == "bulk":
        return [("bulk", task, who) for task in a["tasks"]]
    if op in QUEUE:
        return [("queue", task, who) for task in a["tasks"]]
    if op in ("claim", "import"):
        return [(op, a["project"], who)]
    return []


def effect_of(event, labels):
    """The key of an event that somebody's request caused; None for the system's own."""
    action, who = event["action"], event["actor"]
    if who is None or action == "expire":
        return None
    if action in ("claim", "import"):
        return (action, event["project"], who)
    if action in QUEUE:
        return ("queue", event["task"], who)
    if action in ("archive", "restore", "reopen", "adopt"):
        return (action, event["task"], event["version"], who)
    if event["bulk"]:
        return ("bulk", event["task"], who)
    label = labels.get(event["label"])
    return (action, event["assignment"], event["slot_version"], who, label["sha256"] if label else None)


LOOSE = ("claim", "import", "queue")  # their keys stand for many events


def acks_of(a):
    """The changes that an answer says it made."""
    answer = a["answer"] or {}
    if a["op"] == "bulk":
        return [Ack(t["id"], t["version"], t["state"], ("bulk", t["id"], a["person"]), None, None) for t in answer["accepted"]]
    if a["op"] == "predictions":
        pairs = zip(effects(a), answer["results"])
        return [Ack(r["task"]["id"], r["task"]["version"], r["task"]["state"], effect, (r.get("label") or {}).get("id"), effect[4])
                for effect, r in pairs if "task" in r]
    if a["op"] in ("submit", "fix", "accept", "reject", "pass", "fail", "skip", "archive", "restore", "reopen", "adopt"):
        task, label = answer["task"], answer.get("label") or {}
        return [Ack(task["id"], task["version"], task["state"], effects(a)[0], label.get("id"), label.get("sha256"))]
    return []


def reads_of(a):
    """(task, version, state) that an answer shows."""
    if a["op"] == "read":
        return [(a["answer"]["id"], a["answer"]["version"], a["answer"]["state"])]
    if a["op"] == "claim":
        return [(w["task"]["id"], w["task"]["version"], w["task"]["state"]) for w in a["answer"]["assignments"]]
    return []


class Operation:
    """All attempts of one request: the same key, or what is the same thing to the server."""

    def __init__(self):
        self.first, self.answered, self.certain, self.possible = math.inf, math.inf, False, False

    def add(self, a, certain):
        if certain or not known(a):
            self.first = min(self.first, a["t0"])
        if certain:
            self.answered = min(self.answered, a["t1"])
        self.certain |= certain
        self.possible |= not known(a)


class Slot:
    """One assignment in the sequential model."""

    def __init__(self, row):
        self.stage, self.number = row["stage"], row["slot"]
        self.version, self.holder, self.state = 0, None, "open"


class TaskModel:
    """What may follow what on one task, one event after the other."""

    def __init__(self, checker, task, rows):
        self.checker, self.task = checker, task
        self.slots = {row["id"]: Slot(row) for row in rows}
        self.states, self.head_authors, self.hands = ["none"], set(), set()
        self.reviewer = self.chooser = None  # of the last review; of the label that is reviewed

    def wrong(self, rule, event, text):
        self.checker.wrong(rule, f"task {self.task}", f"seq {event['seq']}, {event['action']}: {text}")

    def step(self, e):
        if (e["from"], e["action"], e["to"]) not in self.checker.legal:
            self.wrong("illegal transition", e, f"{e['from']} to {e['to']} is not in the workflow")
        if e["action"] in self.checker.moves:
            self.move(e)
        elif not 1 <= e["version"] < len(self.states):
            self.wrong("version gap", e, f"at version {e['version']}, but there are {len(self.states) - 1}")
        elif e["from"] != self.states[e["version"]]:
            self.wrong("broken chain", e, f"in {e['from']}, but version {e['version']} is {self.states[e['version']]}")
        slot = self.slots.get(e["assignment"])
        if e["assignment"] is not None and slot is None:
            self.wrong("missing assignment", e, f"assignment {e['assignment']} is not there")
        elif slot:
            self.work(e, slot)
        if e["action"] in self.checker.moves:
            self.consequences(e)

    def move(self, e):
        if e["version"] < len(self.states):
            self.wrong("duplicated event", e, f"version {e['version']} was made already")
        elif e["version"] > len(self.states):
            self.wrong("version gap", e, f"version {e['version']} follows {len(self.states) - 1}")
        if e["from"] != self.states[-1]:
            self.wrong("broken chain", e, f"from {e['from']}, but the task is {self.states[-1]}")
        self.states += ["?"] * (e["version"] - len(self.states))
        self.states[e["version"]:e["version"] + 1] = [e["to"]]

    def work(self, e, slot):
        action = e["action"]
        if action == "claim":
            self.claim(e, slot)
        elif action in ("assign", "unassign") or e["bulk"]:
            if e["bulk"]:
                self.judged(e)
                slot.version, slot.holder, slot.state = e["slot_version"], e["actor"], "submitted"
            else:
                slot.state = "open"
        elif action == "expire" and e["slot_version"] == slot.version and slot.state in ("leased", "open"):
            slot.state = "open"
        elif action in ENDS:
            if (e["slot_version"], e["actor"]) != (slot.version, slot.holder) or slot.state not in ("leased", "open"):
                self.wrong("stale work accepted", e, f"by {e['actor']} under {e['slot_version']}, but {slot.holder} has {slot.version} "
                           f"and it is {slot.state}")
            self.others(e, slot)
            if action in JUDGES:
                self.judged(e)
            slot.state = {"release": "open", "skip": "skipped"}.get(action, "submitted")

    def claim(self, e, slot):
        if slot.state == "leased":
            self.wrong("double lease", e, f"{slot.holder} has assignment {e['assignment']} under version {slot.version}")
        if e["slot_version"] <= slot.version:
            self.wrong("double lease", e, f"version {e['slot_version']} after version {slot.version}")
        slot.version, slot.holder, slot.state = e["slot_version"], e["actor"], "leased"
        self.others(e, slot)
        if slot.stage in ("review", "qa"):
            self.judged(e)

    def others(self, e, slot):
        if slot.stage == "annotate" and e["action"] in ("claim", "submit"):
            for other in self.slots.values():
                if other is not slot and other.stage == "annotate" and other.holder == e["actor"] and other.state in ("leased", "submitted"):
                    self.wrong("two slots of one person", e, f"{e['actor']} has slots {other.number} and {slot.number}")

    def judged(self, e):
        authors = {s.holder for s in self.slots.values() if s.stage == "annotate" and s.state == "submitted"}
        if e["actor"] in authors | self.head_authors | self.hands:
            self.wrong("self-review", e, f"{e['actor']} had a hand in the label")
        if e["actor"] in ([self.reviewer] if e["from"] == "qa" else [self.chooser]):
            self.wrong("self-review", e, f"{e['actor']} {'reviewed' if e['from'] == 'qa' else 'chose'} it")

    def consequences(self, e):
        """Who made the head label now, and what became of the slots."""
        label = self.checker.labels.get(e["label"])
        if e["action"] in ("submit", "fix", "prelabelled") and e["to"] != "annotate" and label:
            self.head_authors = {e["actor"]} if e["action"] != "prelabelled" else set()
        self.chooser = e["actor"] if e["action"] == "adopt" else None
        if e["action"] == "adopt" and label:
            self.hands |= {label["author"]} - {None}
            self.head_authors = {label["author"]}
        if e["from"] == "review" and e["action"] in ("accept", "fix"):
            self.reviewer = e["actor"]
        if e["to"] in ("archived", "skipped") or e["action"] == "adopt":
            for slot in self.slots.values():
                slot.state = "cancelled" if slot.state in ("leased", "open") else slot.state
        if e["to"] == "annotate" and e["action"] in ("reject", "reopen"):
            for slot in self.slots.values():
                if slot.stage == "annotate" and slot.number == 1:
                    slot.state = "reopened"


class Checker:
    def __init__(self, attempts, state):
        self.attempts, self.state, self.violations = attempts, state, []
        self.legal, self.moves = {tuple(row) for row in state["legal"]}, set(state["moves"])
        self.labels = {row["id"]: row for row in state["labels"]}
        self.tasks = {row["id"]: row for row in state["tasks"]}
        self.assignments = {row["id"]: row for row in state["assignments"]}
        self.events = sorted(state["events"], key=lambda e: e["seq"])
        self.of_task = collections.defaultdict(list)
        for e in self.events:
            self.of_task[e["task"]].append(e)
        self.models = {}

    def wrong(self, rule, where, text):
        self.violations.append(Violation(rule, where, text))

    def run(self):
        for rule in (self.tenants, self.chains, self.final_state, self.causes, self.acknowledged, self.leases, self.lease_times,
                     self.real_time, self.kept_labels, self.keys):
            rule()
        return self.violations

    # ---- I8

    def tenants(self):
        project = self.state["projects"]
        people = {p["id"]: p["tenant"] for p in self.state["people"]}
        tenant = {p["id"]: p["tenant"] for p in project}
        for kind, rows in (("task", self.tasks.values()), ("assignment", self.assignments.values()), ("label", self.labels.values()),
                           ("event", self.events)):
            for row in rows:
                where, who = f"{kind} {row.get('id', row.get('seq'))}", row.get("actor") or row.get("author") or row.get("holder")
                task = self.tasks.get(row.get("task", row.get("id") if kind == "task" else None))
                if row["tenant"] != tenant.get(row["project"]) or (task and task["tenant"] != row["tenant"]):
                    self.wrong("another tenant's row", where, f"is of tenant {row['tenant']}, its project is not")
                if who is not None and people.get(who) != row["tenant"]:
                    self.wrong("another tenant's row", where, f"names person {who} of tenant {people.get(who)}")
        for a in self.attempts:
            if a.get("foreign") and known(a) and a["status"] != 404:
                self.wrong("another tenant's answer", a["op"], f"{a['status']} on what is tenant {a['foreign']}'s: {a['answer']}")
            for task, _, _ in reads_of(a) if ok(a) else ():
                if task in self.tasks and self.tasks[task]["tenant"] != a["tenant"]:
                    self.wrong("another tenant's answer", a["op"], f"shows task {task} to tenant {a['tenant']}")

    # ---- I2, I3: the events by themselves

    def chains(self):
        rows = collections.defaultdict(list)
        for row in self.assignments.values():
            rows[row["task"]].append(row)
        seen = set()
        for e in self.events:
            if e["seq"] in seen:
                self.wrong("duplicated event", f"task {e['task']}", f"seq {e['seq']} is there twice")
            seen.add(e["seq"])
        for task, events in self.of_task.items():
            self.models[task] = model = TaskModel(self, task, rows[task])
            for e in events:
                model.step(e)

    def final_state(self):
        for row in self.tasks.values():
            states = self.models[row["id"]].states if row["id"] in self.models else ["none"]
            if row["version"] > len(states) - 1:
                self.wrong("missing event", f"task {row['id']}", f"is at version {row['version']}, its events at {len(states) - 1}")
            elif (row["version"], row["state"]) != (len(states) - 1, states[-1]):
                self.wrong("final state", f"task {row['id']}", f"is {row['state']} at {row['version']}; its events say {states[-1]} at "
                           f"{len(states) - 1}")
            head = self.labels.get(row["head"])
            if row["head"] is not None and (head is None or head["task"] != row["id"]):
                self.wrong("label lost", f"task {row['id']}", f"its head label {row['head']} is not there")
        for row in self.assignments.values():
            slot = self.models[row["task"]].slots[row["id"]] if row["task"] in self.models else Slot(row)
            if row["state"] in ("leased", "submitted") and (row["version"], row["holder"]) != (slot.version, slot.holder):
                self.wrong("final state", f"assignment {row['id']}", f"{row['holder']} has it under {row['version']}; its events say "
                           f"{slot.holder} under {slot.version}")

    # ---- each effect has one cause, each answer its effect

    def causes(self):
        """self.operations: effect -> the operations that may have had it."""
        self.operations = collections.defaultdict(dict)
        self.failed = set()
        for n, a in enumerate(self.attempts):
            certain = {ack.effect for ack in acks_of(a)} if ok(a) else set()
            if a.get("late"):
                certain = {effects(a)[1]}
            for effect in effects(a):
                if effect[0] in LOOSE or effect[0] == "release":
                    sure = ok(a)
                else:
                    sure = effect in certain
                if not sure and known(a):
                    self.failed.add(effect)
                    continue
                one = (a["tenant"], a["person"], a["key"]) if a["key"] and effect[0] != "late" else n
                if effect[0] not in ("release", "bulk", "late"):
                    one = None  # the same thing to the server, however often it is sent
                self.operations[effect].setdefault(one, Operation()).add(a, sure)
        counts = collections.Counter()
        for e in self.events:
            effect = effect_of(e, self.labels)
            if effect is None or (e["label"] is not None and e["label"] not in self.labels):
                continue
            counts[effect] += 1
            if effect not in self.operations:
                rule = "failed operation with an effect" if effect in self.failed else "effect without a cause"
                self.wrong(rule, f"task {e['task']}", f"seq {e['seq']}, {e['action']} by {e['actor']}")
        for effect, n in counts.items():
            operations = self.operations.get(effect)
            if operations and effect[0] not in LOOSE and n > len(operations):
                self.wrong("done twice", str(effect), f"{n} events of {len(operations)} operations")
        for effect, operations in self.operations.items():
            sure = sum(o.certain for o in operations.values())
            if effect[0] in ("release", "bulk") and counts[effect] < sure:
                self.wrong("missing event", str(effect), f"{counts[effect]} events of {sure} that were acknowledged")

    def move_at(self, task, version):
        if not hasattr(self, "index"):
            self.index = {(e["task"], e["version"]): e for e in self.events if e["action"] in self.moves}
        return self.index.get((task, version))

    def acknowledged(self):
        for a in self.attempts:
            for ack in acks_of(a) if ok(a) else ():
                e = self.move_at(ack.task, ack.version)
                where = f"task {ack.task}, version {ack.version}"
                if e is None:
                    self.wrong("missing event", where, f"{a['op']} of {a['person']} was acknowledged")
                elif e["label"] is not None and e["label"] not in self.labels:
                    pass  # kept_labels says so
                elif effect_of(e, self.labels) != ack.effect:
                    self.wrong("lost update", where, f"{a['op']} of {a['person']} was acknowledged; it is a {e['action']} of {e['actor']}")
                elif (e["to"], e["label"]) != (ack.state, ack.label):
                    self.wrong("another answer", where, f"told {ack.state}, label {ack.label}; it is {e['to']}, label {e['label']}")

    # ---- leases

    def leases(self):
        """Who was told that they have an assignment under a version is the one who has it."""
        given, told = {}, {}
        for e in self.events:
            if e["action"] == "claim":
                given.setdefault((e["assignment"], e["slot_version"]), e)
        for a in self.attempts:
            if a["op"] != "claim" or not ok(a):
                continue
            for w in a["answer"]["assignments"]:
                slot, e = (w["id"], w["version"]), given.get((w["id"], w["version"]))
                if told.setdefault(slot, a["person"]) != a["person"]:
                    self.wrong("double lease", f"assignment {w['id']}", f"version {w['version']} for {a['person']} and {told[slot]}")
                elif e is None:
                    self.wrong("missing event", f"assignment {w['id']}", f"{a['person']} was given version {w['version']}")
                elif e["actor"] != a["person"]:
                    self.wrong("double lease", f"assignment {w['id']}", f"version {w['version']} is {e['actor']}'s, not {a['person']}'s")

    def lease_times(self):
        """By the database's clock: what was granted till `until` was given to nobody else, nor swept, before."""
        grants = collections.defaultdict(dict)
        for a in self.attempts:
            if ok(a) and a["op"] in ("claim", "heartbeat"):
                for w in a["answer"]["assignments"] if a["op"] == "claim" else [a["answer"]]:
                    until = grants[w["id"]].setdefault(w["version"], [])
                    until.append((w["until"] - a["lease_s"], w["until"]))
        slots = collections.defaultdict(list)
        for e in self.events:
            if e["assignment"] in grants:
                slots[e["assignment"]].append(e)
        for slot, versions in grants.items():
            for version, spans in versions.items():
                self.lease_time(slot, version, max(spans, key=lambda s: s[1]), slots[slot])

    def lease_time(self, slot, version, span, events):
        since, until = span
        for e in events:
            if e["slot_version"] == version and e["action"] == "expire" and since + SLACK < e["at"] < until - SLACK:
                self.wrong("lease taken away", f"assignment {slot}", f"version {version} swept {until - e['at']:.1f} s before its end")
        after = next((e for e in events if e["action"] == "claim" and e["slot_version"] > version), None)
        if after is None or after["at"] >= until - SLACK:
            return
        ended = any(e["slot_version"] == version and e["action"] in ENDS and e["seq"] < after["seq"] for e in events) or any(
            e["action"] in ("archive", "skip", "adopt") or e["bulk"] for e in self.of_task[after["task"]] if e["seq"] < after["seq"]
            and e["at"] >= since - SLACK)
        if not ended:
            self.wrong("double lease", f"assignment {slot}", f"version {version} was granted {until - after['at']:.1f} s longer than till "
                       f"{after['actor']} got it")

    # ---- real time

    def real_time(self):
        shown = collections.defaultdict(list)  # task -> (answered, version) of all that clients knew
        invoked = {}                           # (task, version) -> when it was asked for, at the earliest
        for task, events in self.of_task.items():
            newest = -math.inf
            for e in (e for e in events if e["action"] in self.moves):
                operations = self.operations.get(effect_of(e, self.labels)) or {}
                if e["action"] == "import" or not operations:
                    continue
                first = min(o.first for o in operations.values())
                answered = min(o.answered for o in operations.values()) if len(operations) == 1 else math.inf
                if answered < newest:
                    self.wrong("real time", f"task {task}, version {e['version']}",
                               f"was answered {newest - answered:.3f} s before an older version was asked for")
                newest = max(newest, first)
                invoked[task, e["version"]] = first
                shown[task].append((answered, e["version"]))
        reads = [(a, *read) for a in self.attempts if ok(a) for read in reads_of(a)]
        keyed = {}
        for a, *_ in reads:  # an answer under a key may be of any attempt before
            keyed[self.name(a)] = min(a["t0"], keyed.get(self.name(a), math.inf))
        for a, task, version, _ in reads:
            shown[task].append((a["t1"], version))
        known_by = {task: self.running_maximum(points) for task, points in shown.items()}
        for a, task, version, state in reads:
            self.read(a, task, version, state, self.known_before(known_by[task], keyed[self.name(a)]), invoked)

    @staticmethod
    def name(a):
        return (a["tenant"], a["person"], a["key"]) if a["key"] else id(a)

    @staticmethod
    def running_maximum(points):
        times, versions, highest = [], [], 0
        for time, version in sorted(points):
            highest = max(highest, version)
            times.append(time)
            versions.append(highest)
        return times, versions

    @staticmethod
    def known_before(points, time):
        n = bisect.bisect_left(points[0], time)
        return points[1][n - 1] if n else 0

    def read(self, a, task, version, state, known_version, invoked):
        where, states = f"task {task}", self.models[task].states if task in self.models else ["none"]
        if version < known_version:
            self.wrong("stale read", where, f"{a['op']} showed version {version} after {known_version} was known")
        if version >= len(states) or states[version] != state:
            self.wrong("phantom read", where, f"{a['op']} showed {state} at version {version}")
        elif invoked.get((task, version), -math.inf) > a["t1"]:
            self.wrong("phantom read", where, f"{a['op']} showed version {version} before anybody asked for it")

    # ---- I1, I6

    def kept_labels(self):
        numbers = collections.defaultdict(list)
        for row in self.labels.values():
            numbers[row["task"]].append(row["seq"])
            if row["read_sha256"] != row["sha256"]:
                self.wrong("label changed", f"label {row['id']}", "its bytes do not match its hash")
        for task, row in self.tasks.items():
            if sorted(numbers[task]) != list(range(1, row["label_seq"] + 1)):
                self.wrong("label lost", f"task {task}", f"its labels are {sorted(numbers[task])} of {row['label_seq']}")
        for a in self.attempts:
            for ack in acks_of(a) if ok(a) else ():
                if ack.label is not None:
                    self.kept(a, ack.label, ack.effect[4] if len(ack.effect) > 4 else ack.sha, a["op"] == "adopt")
            if a.get("late"):
                self.kept(a, a["late"], a["sha"], False)
        logged = {e["label"] for e in self.events}
        for row in self.labels.values():
            if row["kind"] == "late" and row["id"] not in logged:
                self.wrong("missing event", f"label {row['id']}", "a late version that no event tells of")

    def kept(self, a, label, sha, chosen):
        row = self.labels.get(label)
        if row is None:
            self.wrong("label lost", f"label {label}", f"{a['op']} of {a['person']} was acknowledged")
        elif row["sha256"] != sha or (a.get("late") and row["kind"] != "late"):
            self.wrong("label changed", f"label {label}", f"a {row['kind']}, not what {a['person']} sent with {a['op']}")
        elif not chosen and a["op"] != "predictions" and row["author"] != a["person"]:
            self.wrong("label changed", f"label {label}", f"is {row['author']}'s, but {a['person']} sent it")

    # ---- I4

    def keys(self):
        groups = collections.defaultdict(list)
        for a in self.attempts:
            if a["key"] and known(a):
                groups[a["tenant"], a["person"], a["key"]].append(a)
        done = {}  # effect -> the attempt that was first told of it
        for a in sorted((a for a in self.attempts if ok(a)), key=lambda a: a["t1"]):
            for ack in acks_of(a):
                done.setdefault(ack.effect, a)
        for key, group in groups.items():
            first = min((a for a in group if ok(a)), key=lambda a: a["t1"], default=None)
            if first is None:
                continue
            if any(done[ack.effect]["key"] != first["key"] for ack in acks_of(first)):
                continue  # it was done before, under no key or another one: repeated, and not kept under this one
            for a in group:
                same = a["request"] == first["request"]
                if ok(a) and not same:
                    self.wrong("one key, two requests", str(key), f"{a['op']} after {first['op']}")
                elif ok(a) and (a["status"], a["answer"]) != (first["status"], first["answer"]):
                    self.wrong("another answer", str(key), f"{a['answer']}, first it was {first['answer']}")
                elif not ok(a) and a["t0"] > first["t1"] and (same or a["status"] != 422):
                    self.wrong("another answer", str(key), f"{a['op']} was {a['status']} after a {first['status']} under this key")


def check(attempts, state):
    """All violations."""
    return Checker(attempts, state).run()


def load(directory):
    """(attempts, state) of a directory that tests/fault/storm.py wrote."""
    directory = pathlib.Path(directory)
    attempts = [json.loads(line) for path in sorted(directory.glob("client-*.jsonl")) for line in path.read_text().splitlines()]
    return attempts, json.loads((directory / "state.json").read_text())


def main(directory):
    found = check(*load(directory))
    for violation in found:
        print(f"{violation.rule}: {violation.where}: {violation.text}")
    print(f"{len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
