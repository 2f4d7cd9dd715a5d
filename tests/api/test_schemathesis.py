"""The server against its own document: schemathesis makes requests from /openapi.json, good ones and bad ones, and checks every
answer. What it needs to know is in schemathesis.toml and schemathesis_hooks.py.

SCHEMATHESIS_EXAMPLES   how many requests a phase makes up for an operation; without it the test is skipped
"""
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from kit import Desk, people

HERE = pathlib.Path(__file__).parent
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES")
PHASES = "examples,coverage,fuzzing,stateful"


def world(api, db, server):
    """Ids by the word before them in a path; `only`: for operations that end what they are about."""
    desk, spare = Desk(api, tasks=6), Desk(api, tasks=1)
    desk.annotate("annotator2")
    late = desk.claim("annotator")
    done = desk.claim("annotator2")
    desk.submit("annotator2", done)
    release = desk("manager").ok("POST", f"{desk.path}/releases", 202, json={"name": "r"})["id"]
    someone = [user for user, _ in people(db, server, api, desk.project, 3)]
    comment = desk("reviewer").ok("POST", f"/v1/tasks/{desk.tasks[0]}/comments", 201, json={"text": "hm"})["id"]
    ids = {"projects": [desk.project], "tasks": desk.tasks, "assignments": [late["id"], done["id"]],
           "labels": [label["id"] for label in desk.labels()], "releases": [release], "members": someone, "users": someone,
           "comments": [comment], "label-configs": [1]}
    return {"ids": ids, "only": {name: ids | {"projects": [spare.project]} for name in ("project_archive", "project_restore")}}


@pytest.mark.skipif(not EXAMPLES, reason="takes minutes: set SCHEMATHESIS_EXAMPLES, with schemathesis 4.32 installed")
@pytest.mark.parametrize("role", ["admin", "annotator"])
def test_clean(api, db, start_server, role, tmp_path):
    server = start_server(user_rate=0)
    made = world(api, db, api.server)
    done = subprocess.run(
        [pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run", server.url + "/openapi.json",
         "--header", f"Authorization: {api(role).headers['Authorization']}", "--phases", PHASES, "--max-examples", EXAMPLES, "--workers", "2"],
        env=os.environ | {"SCHEMATHESIS_WORLD": json.dumps(made), "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)},
        capture_output=True, text=True, timeout=3600, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) generated", done.stdout).group(1)) > 100, done.stdout
