"""What comes out: a release, its exports and the stream, each compared with the labels that the server has."""
import collections
import concurrent.futures
import hashlib
import json
import os
import subprocess
import threading
import time

from people import choice_of
from project import index_of

CATCH_UP_S = 90
ACTIONS = ("import", "submit", "skip", "accept", "fix", "reject", "pass", "fail", "late", "reopen", "release")
SPLIT = {"train": 0.8, "val": 0.1, "test": 0.1}


class Outputs:
    def __init__(self, project, directory, figures):
        self.project, self.directory, self.figures = project, directory, figures
        self.token_file = directory / "demo.token"
        token = project.manager.post("/v1/tokens", {"name": f"demo {project.stamp}"})["token"]
        self.token_file.unlink(missing_ok=True)
        with open(os.open(self.token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as f:
            f.write(token)

    def cli(self, *arguments):
        """Runs `annotate` as a person would; its standard output."""
        command = [str(self.project.installation.cli), *map(str, arguments),
                   "--server", self.project.installation.server, "--token-file", str(self.token_file)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(f"annotate {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def heads(self):
        """The label that each finished task has now, by its index, from the API one by one."""
        local = threading.local()

        def head(task):
            if not hasattr(local, "client"):
                local.client = self.project.manager.again()
            number = local.client.get(f"/v1/tasks/{task['id']}")["head_label"]
            label = local.client.get(f"/v1/labels/{number}")
            return {"task": task["id"], "index": index_of(task["external_id"]), "external": task["external_id"],
                    "label": label["id"], "sha256": label["sha256"], "result": label["result"],
                    "choice": choice_of(label["result"])}

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return {h["index"]: h for h in pool.map(head, list(self.project.tasks("done")))}

    def release(self, images):
        split = ",".join(f"{name}={share}" for name, share in SPLIT.items())
        out = self.cli("release", "create", "--project", self.project.id, "--name", f"fashion {self.project.stamp}",
                       "--split", split, "--wait")
        release = json.loads(out)
        self.figures.equal("items of the release", release["items"], images)
        self.figures.equal("items of its splits together", sum(release["splits"].values()), images)
        self.figures.equal("the release, created and shown", json.loads(self.cli("release", "show", release["id"])), release)
        self.figures.put("release", f"{release['items']:,} items, root {release['root']}")
        self.figures.put("splits", release["splits"])
        return release

    def _export(self, release, form):
        """Exports twice, and says when the two differ by a byte."""
        paths = [self.directory / f"release.{form}{again}" for again in ("", ".again")]
        for path in paths:
            self.cli("export", "--release", release["id"], "--format", form, "--out", path)
        first, again = (hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
        self.figures.equal(f"the {form} export, made again", again, first)
        paths[1].unlink()
        return paths[0]

    def jsonl(self, release, heads):
        with open(self._export(release, "jsonl"), encoding="utf-8") as f:
            rows = [json.loads(line) for line in f]
        exported = {index_of(r["external_id"]): (r["label"]["id"], r["label"]["sha256"], r["label"]["result"]) for r in rows}
        self.figures.equal("lines of the JSONL export", len(rows), release["items"])
        self.figures.equal("splits of the JSONL export", dict(collections.Counter(r["split"] for r in rows)), release["splits"])
        self._labels("JSONL", exported, {i: (h["label"], h["sha256"], h["result"]) for i, h in heads.items()})

    def label_studio(self, release, heads):
        with open(self._export(release, "label-studio"), encoding="utf-8") as f:
            tasks = json.load(f)
        self.figures.equal("tasks of the Label Studio export", len(tasks), release["items"])
        exported = {task["id"]: [a["result"] for a in task["annotations"]] for task in tasks}
        self._labels("Label Studio", exported, {h["task"]: [h["result"]] for h in heads.values()})

    def _labels(self, name, exported, heads):
        wrong = [i for i in heads if exported.get(i) != heads[i]]
        self.figures.true(f"labels of the {name} export", not wrong and len(exported) == len(heads),
                          f"{len(wrong)} of {len(heads)} are not the server's; the first is {wrong[:1]}")

    # --- the stream ---

    def _consume(self, *arguments):
        kind, where = self.project.installation.sink.split(":", 1)
        return self.cli("consume", f"--{kind}", where, "--topic-prefix", self.project.installation.topic_prefix, *arguments)

    def _records(self, topic):
        """This project's records of a topic, oldest first; the stream may hold other projects'."""
        source = f"/projects/{self.project.id}"
        records = map(json.loads, self._consume("--topic", topic).splitlines())
        return [r for r in records if r["headers"]["ce_source"].endswith(source)]

    def _wait_for_end(self, release):
        """The stream is in the order of commits, so what was before the release is there once its end is."""
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            records = self._records("releases")
            if any(r["headers"]["ce_type"] == "annotate.release.end.v1" for r in records):
                return records
            if time.monotonic() > deadline:
                raise RuntimeError(f"the stream has no end of release {release['id']} after {CATCH_UP_S} s; "
                                   "does annotate-stream run?")
            time.sleep(1)

    def stream(self, release, heads, office):
        start = time.monotonic()
        releases = self._wait_for_end(release)
        self.figures.put("the stream's delay, s", time.monotonic() - start)
        events, labels = self._records("events"), self._records("labels")
        self._events(events, office)
        self._final_labels(labels, heads)
        self._release_records(releases, release)
        whole = json.loads(self._consume("--verify"))
        self.figures.equal("errors in the whole stream", (whole["errors"], whole["messages"]), (0, []))
        self.figures.put("records", {"events": len(events), "labels": len(labels), "releases": len(releases)})
        self.figures.put("records in the whole stream, verified",
                         whole["events"] + whole["label_records"] + whole["release_items"] + 2 * whole["releases"])

    def _events(self, records, office):
        values = [r["value"] for r in records]
        actions = collections.Counter(v["action"] for v in values if v["task"])
        for action in ACTIONS:
            self.figures.equal(f"{action}, in the stream and by the clients", actions[action], office.actions[action])
        dealt = sum(actions[a] for a in ("prelabelled", "prelabel_failed"))
        self.figures.equal("tasks that the pre-label worker dealt with, in the stream", dealt, len(office.truth))
        claims = {(v["assignment"], v["assignment_version"]) for v in values if v["action"] == "claim" and v["from"] != "prelabel"}
        self.figures.equal("claims, in the stream and by the people", len(claims), len(office.claims))
        self.figures.true("claims", claims == office.claims, "the stream's and the people's are not the same")

    def _final_labels(self, records, heads):
        """The newest record of each task, as a compacted topic keeps it."""
        newest = {int(r["key"]): r.get("value") for r in records}   # a tombstone has none
        final = {task: (v["label"]["id"], v["label"]["sha256"], v["result"]) for task, v in newest.items() if v}
        wanted = {h["task"]: (h["label"], h["sha256"], h["result"]) for h in heads.values()}
        wrong = [task for task in wanted if final.get(task) != wanted[task]]
        self.figures.true("labels in the stream", not wrong and len(final) == len(wanted),
                          f"{len(final)} for {len(wanted)} done tasks, {len(wrong)} of them not the server's")

    def _release_records(self, records, release):
        begin, *items, end = records
        self.figures.equal("root of the release in the stream", (begin["value"]["root"], end["value"]["root"]),
                           (release["root"], release["root"]))
        self.figures.equal("items of the release in the stream", (len(items), end["value"]["count"]),
                           (release["items"], release["items"]))
