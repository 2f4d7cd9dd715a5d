"""The simulated people: annotators, reviewers and quality checkers. Each is a thread that claims work, does it by the ground
truth with human failings drawn from a seed, and counts what the server accepted. The counts are what the demo checks the
server, the stream and the exports against."""
import collections
import random
import threading
import time

from fashion import CLASSES

MISTAKES = 0.03      # of an annotator's labels
SKIPS = 0.005        # tasks an annotator does not feel like
DRAFTS = 0.10        # labels saved as a draft first
HEARTBEATS = 0.10
RELEASES = 0.03      # reviews given back untouched
SHORT_LEASE_S = 5    # the shortest that the API grants


def choice_of(result):
    return result[0]["value"]["choices"][0]


def label(choice, rng):
    region = "".join(rng.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(10))
    return [{"id": region, "type": "choices", "from_name": "item", "to_name": "image", "value": {"choices": [choice]}}]


class Office:
    """What the people of one project share. All counts are of answers that the server gave."""

    def __init__(self, project, manager, truth, seed, unreadable):
        self.project, self.manager, self.truth, self.seed = project, manager, truth, seed
        self.unreadable = set(unreadable)     # everybody skips these until the manager reopens them
        self.predicted = {}                   # index -> what the model said
        self.actions = collections.Counter()  # accepted, by the names of the workflow's actions
        self.labels = collections.Counter()   # label versions by kind
        self.claims = set()                   # (assignment, version) that somebody was given
        self.drafts = self.heartbeats = self.unsure = self.calls = self.retries = 0
        self.closed = threading.Event()
        self.problems = []
        self.lock = threading.Lock()

    def count(self, action, kind=None):
        with self.lock:
            self.actions[action] += 1
            if kind:
                self.labels[kind] += 1

    def given(self, assignments):
        with self.lock:
            for a in assignments:
                self.claims.add((a["id"], a["version"]))
                for p in a["predictions"]:
                    self.predicted[index_of(a)] = choice_of(p["result"])

    def reopened(self, index):
        with self.lock:
            self.unreadable.discard(index)

    def trouble(self, text):
        with self.lock:
            self.problems.append(text)
        self.closed.set()


def index_of(assignment):
    return assignment["task"]["meta"]["index"]


class Person(threading.Thread):
    stage = None
    most = 5

    def __init__(self, office, client, user):
        super().__init__(name=user["name"], daemon=True)
        self.office, self.client, self.user = office, client, user
        self.witness = office.manager.again()   # sees what the person's role does not
        self.rng = random.Random(f"{office.seed}/{user['name']}")
        self.accepted = collections.Counter()   # (assignment, action): what the server has accepted from this person

    def run(self):
        try:
            self.first()
            while not self.office.closed.is_set():
                for a in self.claim(self.rng.randint(1, self.most)):
                    self.work(a)
        except Exception as e:   # a surprise ends the whole demo, with the person's name
            self.office.trouble(f"{self.name}: {type(e).__name__}: {e}")
        finally:
            self.leave()

    def leave(self):
        with self.office.lock:
            self.office.calls += self.client.calls
            self.office.retries += self.client.retries
        self.client.close()
        self.witness.close()

    def first(self):
        """What a person does before the daily work."""

    def work(self, a):
        raise NotImplementedError

    def claim(self, count, **more):
        body = {"stage": self.stage, "count": count, "wait_s": 1, **more}
        given = self.client.post(f"/v1/projects/{self.office.project}/claims", body)["assignments"]
        self.office.given(given)
        if len(given) > 1 and self.rng.random() < HEARTBEATS:
            self.heartbeat(given)
        return given

    def heartbeat(self, given):
        """All leases at once, or one."""
        if self.rng.random() < 0.5:
            held = [{"id": a["id"], "version": a["version"]} for a in given]
            lost = [r for r in self.client.post("/v1/heartbeats", {"assignments": held})["results"] if "error" in r]
            if lost:
                raise AssertionError(f"a fresh lease was lost: {lost}")
        else:
            self.client.post(f"/v1/assignments/{given[0]['id']}/heartbeat", {}, version=given[0]["version"])
        with self.office.lock:
            self.office.heartbeats += 1

    def act(self, a, verb, body, action, kind=None):
        """Does something with an assignment and counts it under the workflow's name of it, or as late. True when it was
        accepted."""
        path = f"/v1/assignments/{a['id']}/{verb}"
        answer = self.client.call("POST", path, body, version=a["version"], allow=(409, 412))
        if answer.status == 200:
            self.settled(a, action, kind)
            return True
        if answer.unsure and self.happened(a, action):
            with self.office.lock:
                self.office.unsure += 1
            self.settled(a, action, kind)
            return True
        if answer.status == 412 and answer.body.get("late_label"):
            self.kept(a, answer.body["late_label"], body)
            return False
        raise AssertionError(f"{verb} of assignment {a['id']} version {a['version']} was answered {answer.status}: {answer.body}")

    def settled(self, a, action, kind):
        self.accepted[a["id"], action] += 1
        self.office.count(action, kind)

    def happened(self, a, action):
        """After a lost answer: has the server accepted one more of these from this person than it has told?"""
        events = self.witness.get(f"/v1/tasks/{a['task']['id']}/events")["events"]
        n = sum(e["assignment"] == a["id"] and e["action"] == action and e["actor"] == self.user["id"] for e in events)
        return n > self.accepted[a["id"], action]

    def kept(self, a, late, body):
        """A late submission is refused and kept: nothing that a person typed is dropped."""
        stored = self.witness.get(f"/v1/labels/{late}")
        if stored["kind"] != "late" or stored["result"] != body["result"]:
            raise AssertionError(f"late label {late} of task {a['task']['id']} is not what was sent")
        self.office.count("late", "late")


class Annotator(Person):
    stage = "annotate"

    def work(self, a):
        index = index_of(a)
        if index in self.office.unreadable:
            return self.act(a, "skip", {"reason": "I cannot make it out"}, "skip")
        if self.rng.random() < SKIPS:
            return self.act(a, "skip", {"reason": "not for me"}, "skip")
        result = self.look(index, a["predictions"])
        if self.rng.random() < DRAFTS:
            self.draft(a, result)
        body = {"result": result, "lead_time": round(self.rng.uniform(1, 10), 2)}
        return self.act(a, "submit", body, "submit", "submission")

    def look(self, index, predictions):
        """The truth, or a mistake; what the model said is taken over where it agrees."""
        choice = self.office.truth[index]
        if self.rng.random() < MISTAKES:
            choice = self.rng.choice([c for c in CLASSES if c != choice])
        for p in predictions:
            if choice_of(p["result"]) == choice:
                return p["result"]
        return label(choice, self.rng)

    def draft(self, a, result):
        path = f"/v1/assignments/{a['id']}/draft"
        self.client.call("PUT", path, {"result": result}, version=a["version"])
        if self.client.get(path)["result"] != result:
            raise AssertionError(f"the draft of assignment {a['id']} is not what was saved")
        with self.office.lock:
            self.office.drafts += 1


class SlowAnnotator(Annotator):
    """Begins with leases that run out, and hands the work in after others have taken it over."""

    def __init__(self, office, client, user, losses):
        super().__init__(office, client, user)
        self.losses = losses

    def first(self):
        for a in self.claim(self.losses, lease_s=SHORT_LEASE_S):
            self.wait_until_taken(a)
            result = label(self.office.truth[index_of(a)], self.rng)
            self.act(a, "submit", {"result": result, "lead_time": 60}, "submit", "submission")

    def wait_until_taken(self, a):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not self.office.closed.is_set():
            task = self.witness.get(f"/v1/tasks/{a['task']['id']}")
            if any(x["id"] == a["id"] and x["version"] > a["version"] for x in task["assignments"]):
                return
            time.sleep(0.2)


class Reviewer(Person):
    stage = "review"
    names = {"accept": ("accept", None), "fix": ("fix", "review_fix"), "reject": ("reject", None)}

    def work(self, a):
        if self.rng.random() < RELEASES:
            return self.act(a, "release", {}, "release")
        body = self.judge(a)
        return self.act(a, "verdict", body, *self.names[body["verdict"]])

    def judge(self, a):
        result, truth = a["label"]["result"], self.office.truth[index_of(a)]
        if choice_of(result) == truth:
            return {"verdict": "accept"}
        if self.rng.random() < 0.5:
            return {"verdict": "fix", "result": label(truth, self.rng)}
        comment = {"region": result[0]["id"], "text": f"This is not {choice_of(result)}. Look again, please."}
        return {"verdict": "reject", "comments": [comment]}


class Checker(Reviewer):
    stage = "qa"
    names = {"accept": ("pass", None), "fix": ("fix", "qa_fix"), "reject": ("fail", None)}
