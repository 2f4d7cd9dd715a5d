"""A released project whose tasks show stored files, and its exports."""
import io
import json
import zipfile

import pytest

from kit import Desk
from stand import Worker
from test_release import release


@pytest.fixture(scope="module")
def builder(server):
    worker = Worker("export", server, poll_ms=20)
    yield worker
    worker.stop()


class Shelf:
    """rows: a task's files (bytes, or an address elsewhere) and what its label says. A list of files is the task's list; the tasks go
    to the splits in turn."""

    def __init__(self, api, config, field, rows, splits=("train",)):
        self.desk, self.files = Desk(api, tasks=0, label_config=config, workflow={"review": {"mode": "none"}}), {}
        made = api.tasks(self.desk.project, [{field: [self.keep(f) for f in files] if isinstance(files, list) else self.keep(files),
                                              "set": splits[n % len(splits)]} for n, (files, _) in enumerate(rows)])
        self.tasks = list(range(made["first_id"], made["last_id"] + 1))
        for work in self.desk.claims("annotator", count=len(rows)):
            self.desk.submit("annotator", work, rows[work["task"]["id"] - made["first_id"]][1])
        self.release = release(self.desk, "shelf", split={name: 1 / len(splits) for name in splits}, pin_by="data.set")
        assert self.release["items"] == len(rows)

    def keep(self, file):
        if isinstance(file, str):
            return file
        url = self.desk("annotator").ok("POST", "/v1/assets", 201, data=file)["url"]
        self.files[url] = file
        return url

    def answer(self, kind, **parameters):
        words = "".join(f"&{key}={value}" for key, value in parameters.items())
        return self.desk("manager").get(f"/v1/releases/{self.release['id']}/export?format={kind}{words}")

    def export(self, kind, **parameters):
        answer = self.answer(kind, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.content

    def unpack(self, kind, where, **parameters):
        """The directory of a zip with media, and its EXPORT.json; the same bytes when it is asked for twice."""
        whole = self.export(kind, container="zip", **{"media": "true", **parameters})
        assert whole == self.export(kind, container="zip", **{"media": "true", **parameters})
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            assert archive.testzip() is None
            archive.extractall(where)
        report = json.loads((where / "EXPORT.json").read_text())
        assert report["files"] == sum(path.is_file() for path in where.rglob("*")) and report["items"] == len(self.tasks)
        return where, report

    def name(self, task, more=0):
        return f"{self.tasks[task]:010d}" + (f"_{more + 1}" if more else "")
