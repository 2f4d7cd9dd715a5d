"""What comes out: a release, its exports and the stream, each compared with the labels that the server has."""
import concurrent.futures
import hashlib
import json
import os
import subprocess
import threading
import time

from client import Client
from people import choice_of
from project import index_of

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
                local.client = Client(self.project.installation.server, self.project.manager.token)
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
        exported = {index_of(row["k"]): (row["lv"], row["l"], row["result"]) for row in rows}
        self.figures.equal("lines of the JSONL export", len(rows), release["items"])
        self._labels("JSONL", exported, {i: (h["label"], h["sha256"], h["result"]) for i, h in heads.items()})

    def label_studio(self, release, heads):
        with open(self._export(release, "label-studio"), encoding="utf-8") as f:
            tasks = json.load(f)
        self.figures.equal("tasks of the Label Studio export", len(tasks), release["items"])
        exported = {}
        for task in tasks:
            self.figures.equal(f"annotations of task {task['id']}", len(task["annotations"]), 1)
            exported[task["id"]] = task["annotations"][0]["result"]
        self._labels("Label Studio", exported, {h["task"]: h["result"] for h in heads.values()})

    def _labels(self, name, exported, heads):
        wrong = [i for i in heads if exported.get(i) != heads[i]]
        self.figures.true(f"labels of the {name} export", not wrong and len(exported) == len(heads),
                          f"{len(wrong)} of {len(heads)} are not the server's; the first is {wrong[:1]}")
