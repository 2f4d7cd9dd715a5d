"""The manager's side: people, a fresh project, its images and tasks, and watching over the work."""
import concurrent.futures
import json
import secrets
import sys
import threading
import time

from client import Client
from fashion import CLASSES

CONFIG = ('<View><Image name="image" value="$image"/><Choices name="item" toName="image" choice="single">'
          + "".join(f'<Choice value="{c}"/>' for c in CLASSES) + "</Choices></View>")
WORKFLOW = {"prelabel": True, "review": {"mode": "sample", "percent": 30}, "qa": {"percent": 10}}
STAFF = [("Annotator", "annotator", 8), ("Reviewer", "reviewer", 2), ("Checker", "qa", 1)]
STATES = ("prelabel", "annotate", "review", "qa", "done", "skipped", "archived")
STALLED_S = 90


def say(text):
    print(text, file=sys.stderr, flush=True)


class Project:
    def __init__(self, installation, stamp):
        self.installation, self.stamp = installation, stamp
        self.manager = Client(installation.server)
        self.manager.login(*installation.logins["admin"])
        body = {"name": f"Fashion {stamp}", "label_config": CONFIG, "workflow": WORKFLOW}
        self.id = self.manager.post("/v1/projects", body)["id"]

    def hire(self):
        """New users, members of the project, logged in: {role: [(client, user)]}."""
        staff = {}
        for title, role, n in STAFF:
            staff[role] = [self._hire_one(f"{title} {i}", f"{role}{i}.{self.stamp}", role) for i in range(1, n + 1)]
        model = f"model@{self.installation.domain}"
        ids = [u["id"] for u in self.manager.pages("/v1/users", "users") if u["email"] == model]
        if not ids:
            raise RuntimeError(f"there is no user {model} for the pre-label worker")
        self._member(ids[0], "model")
        return staff

    def _hire_one(self, name, address, role):
        email, password = f"{address}@{self.installation.domain}", secrets.token_urlsafe(15)
        user = self.manager.post("/v1/users", {"email": email, "name": name, "password": password})
        self._member(user["id"], role)
        client = Client(self.installation.server)
        client.login(email, password)
        return client, user

    def _member(self, user, role):
        self.manager.call("PUT", f"/v1/projects/{self.id}/members/{user}", {"role": role})

    def upload(self, images):
        """All images as assets, by eight connections; their addresses in order."""
        local = threading.local()

        def one(png):
            if not hasattr(local, "client"):
                local.client = self.manager.again()
            answer = local.client.post("/v1/assets", png, content_type="application/octet-stream")
            if (answer["width"], answer["height"], answer["media_type"]) != (28, 28, "image/png"):
                raise AssertionError(f"an image was taken for {answer}")
            return answer["url"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(one, images))

    def import_tasks(self, urls, figures):
        """One NDJSON stream; sent twice, and the second time adds nothing."""
        lines = "".join(json.dumps({"data": {"image": url}, "meta": {"index": i}, "external_id": external_id(i)}) + "\n"
                        for i, url in enumerate(urls)).encode()
        path = f"/v1/projects/{self.id}/tasks"
        first = self.manager.post(path, lines, content_type="application/x-ndjson")
        again = self.manager.post(path, lines, content_type="application/x-ndjson")
        figures.equal("tasks created by the import", first["created"], len(urls))
        figures.equal("tasks created by its repetition", (again["created"], again["skipped"]), (0, len(urls)))

    def progress(self):
        return self.manager.get(f"/v1/projects/{self.id}/progress")

    def tasks(self, state=None):
        query = f"?state={state}" if state else ""
        return self.manager.pages(f"/v1/projects/{self.id}/tasks{query}", "tasks")


def external_id(index):
    return f"fashion-{index:05d}.png"


def index_of(external):
    return int(external[len("fashion-"):-len(".png")])


class Watch:
    """Follows the progress until `done(tasks)`; a project in which nothing moves any more is an error."""

    def __init__(self, project):
        self.project = project
        self.last, self.moved, self.shown = None, time.monotonic(), 0.0

    def look(self):
        progress = self.project.progress()
        now, state = time.monotonic(), (progress["tasks"], progress["actions"])
        if state != self.last:
            self.last, self.moved = state, now
        elif now - self.moved > STALLED_S:
            raise RuntimeError(f"nothing has moved for {STALLED_S} s: {line(progress['tasks'])}")
        if now - self.shown > (1 if sys.stderr.isatty() else 5):
            self.shown = now
            say(f"  {line(progress['tasks'])}")
        return progress


def line(tasks):
    return "  ".join(f"{s} {tasks.get(s, 0):,}" for s in STATES if tasks.get(s, 0))
