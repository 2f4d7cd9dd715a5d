"""The server against its own document: schemathesis makes requests from /openapi.json, good ones and bad ones, and checks every
answer. What it needs to know is in schemathesis.toml and schemathesis_hooks.py.

SCHEMATHESIS_EXAMPLES   how many requests are made up for an operation, beside those at the edges of its schema (default: 3)
SCHEMATHESIS_SEED       what they are made from (default: always the same)
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
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")
SEED = os.environ.get("SCHEMATHESIS_SEED", "20261124")


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


def run(server, token, made, directory, *words, document=None):
    """What schemathesis says, its status, and the answers by operation: {"task_get": {200, 404}}."""
    answers = directory / "answers"
    words = ["--config-file", HERE / "schemathesis.toml", "run", document or f"{server.url}/openapi.json", "--url", server.url,
             "--header", f"Authorization: {token}", "--max-examples", EXAMPLES, "--seed", SEED, *words]
    told = {"SCHEMATHESIS_WORLD": json.dumps(made), "SCHEMATHESIS_ANSWERS": str(answers), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"}
    done = subprocess.run([pathlib.Path(sys.executable).parent / "schemathesis", *words], env=os.environ | told | {"PYTHONPATH": str(HERE)},
                          capture_output=True, text=True, timeout=3600, check=False, cwd=directory)
    got = {}
    for line in answers.read_text().splitlines() if answers.exists() else ():
        name, status = line.split()
        got.setdefault(name, set()).add(int(status))
    return done.stdout[-20000:] + done.stderr[-2000:], done.returncode, got


# The edges are the same for everybody, and most of the time: one role walks along them.
@pytest.mark.parametrize("role, phases, least", [("admin", "coverage,fuzzing", 55), ("annotator", "fuzzing", 20)])
def test_clean(api, db, server, role, phases, least, tmp_path):
    text, status, got = run(server, api(role).headers["Authorization"], world(api, db, server), tmp_path, "--phases", phases)
    assert status == 0, text
    # It went through doors, not only along them.
    good = sorted(name for name, statuses in got.items() if any(s < 300 for s in statuses))
    assert len(got) > 80 and len(good) >= least, f"{len(good)} of {len(got)} operations were ever answered 2xx: {good}"


def another_type(document):
    document["components"]["schemas"]["me"]["properties"]["name"] = {"type": "integer"}


def another_status(document):
    answers = document["paths"]["/v1/me"]["get"]["responses"]
    answers["202"] = answers.pop("200")


def more_than_is_taken(document):
    document["components"]["schemas"]["new_token"]["properties"]["name"] = {"type": "integer"}


def less_than_is_taken(document):
    document["components"]["schemas"]["new_token"]["properties"]["name"]["maxLength"] = 2


@pytest.mark.parametrize("lie, operation, found", [
    (another_type, "me", "Response violates schema"), (another_status, "me", "Undocumented status code"),
    (more_than_is_taken, "token_create", "Schema-valid request rejected"), (less_than_is_taken, "token_create", "Schema-violating request accepted")])
def test_a_document_that_lies_is_found_out(api, server, lie, operation, found, tmp_path):
    """Or the test above would say nothing."""
    document = api().ok("GET", "/openapi.json")
    lie(document)
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    text, status, _ = run(server, api("admin").headers["Authorization"], {"ids": {}, "only": {}}, tmp_path, "--include-operation-id", operation,
                          document=path)
    assert status == 1 and found in text, text
