"""What is refused, and how: versions, leases, tenants, roles, tokens, bodies, labels. Nothing refused may change anything, and
nothing typed may be lost (I1, I8)."""
import functools
import itertools
import json
import re
import time

import pytest

from kit import BOXES, Contract, Desk, b64, box, choice, forge, people, problem, token_parts, unb64
from stand import ROLES, ROOT, email

MEMBERS = [role for role in ROLES if role not in ("annotator2", "outsider")]

ROUTES = re.findall(r'\{(GET|POST|PUT|PATCH|DELETE), \.path = "([^"]+)", \.name = "(\w+)"', (ROOT / "annotate-server/routes.c").read_text())
BY_NAME = {name: (method, path) for method, path, name in ROUTES}


# ---- the table and its document ----

def test_the_document_is_the_table(api):
    document = api().ok("GET", "/openapi.json")
    listed = {(m.upper(), p, op["operationId"]) for p, ops in document["paths"].items() for m, op in ops.items()}
    assert listed == set(ROUTES) and len(listed) > 40


@functools.cache
def schema_names():
    return set(re.findall(r'\.(?:request|reply) = "(\w+)"', (ROOT / "annotate-server/routes.c").read_text()))


@pytest.mark.parametrize("name", sorted(schema_names()))
def test_every_body_of_the_table_has_a_strict_schema(name):
    schema = json.loads((ROOT / f"annotate-server/api/schemas/{name}.json").read_text())
    Contract.VALIDATOR.check_schema(schema)

    def objects(node):
        if isinstance(node, dict):
            if node.get("type") == "object" and "properties" in node:
                yield node
            for child in node.values():
                yield from objects(child)
        elif isinstance(node, list):
            for child in node:
                yield from objects(child)
    assert all(o["additionalProperties"] is False for o in objects(schema))


def test_schemas_refer_to_what_is_there(api):
    text = json.dumps(api().ok("GET", "/openapi.json"))
    known = json.loads(text)["components"]["schemas"]
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert schema_names() <= refs <= set(known)
    assert {name for name in known if name not in refs} == set()  # and nothing is there for nobody


# ---- roles ----

@pytest.fixture(scope="module")
def world(api, db, server):
    """One of each thing in tenant a, and how to fill in a path."""
    desk = Desk(api, tasks=3)
    desk.annotate("annotator2")
    release = desk("manager").ok("POST", f"{desk.path}/releases", 202, json={"name": "r"})["id"]
    asset = desk("annotator").ok("POST", "/v1/assets", 201, data=b"hello")["sha256"]
    work = next(a for a in desk.task(desk.tasks[1])["assignments"] if a["stage"] == "annotate")
    someone = people(db, server, api, desk.project, 1)[0][0]
    things = {"projects": desk.project, "tasks": desk.tasks[2], "labels": desk.labels()[0]["id"], "assignments": work["id"],
              "releases": release, "assets": asset, "members": someone, "people": someone, "tokens": 1, "users": someone, "invites": 1 << 40, "erasures": 1 << 40, "label-configs": 1, "fields": "data.image",
              "exports": db.execute("""
                  WITH r AS (INSERT INTO release (tenant_id, project_id, name, state, split, salt, root, items, label_config_version, created_by)
                             SELECT tenant_id, project_id, 'made', 'ready', split, salt, sha256(''), 0, 1, created_by FROM release WHERE id = %s RETURNING *)
                  INSERT INTO export_job (tenant_id, release_id, format, container, media, labelled, created_by)
                  SELECT tenant_id, id, 'jsonl', 'file', false, false, created_by FROM r RETURNING id""", (release,)).fetchone()[0],
              "uploads": 1 << 40, "parts": 1,
              "comments": desk("reviewer").ok("POST", f"/v1/tasks/{desk.tasks[2]}/comments", 201, json={"text": "hm"})["id"]}

    def fill(path, **other):
        """/v1/tasks/{id} with an id in it."""
        parts = path.split("/")
        def thing(i):
            return (things | other)[parts[i - 3] if parts[i - 1] == "diff" else parts[i - 1]]
        return "/".join(str(thing(i)) if part.startswith("{") else part for i, part in enumerate(parts))

    fill.desk, fill.someone = desk, someone
    return fill


def versioned(operation):
    """Whether it needs If-Match."""
    return {"$ref": "#/components/parameters/If-Match"} in operation["parameters"]


def attempt(client, method, path, operation):
    """A request that gets through the gate where the role allows, and changes nothing behind it."""
    body = None
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        body = {}
    needs = versioned(operation)
    data = b"[]" if "application/octet-stream" in operation.get("requestBody", {}).get("content", {}) else None
    endless = any("text/event-stream" in r.get("content", {}) for r in operation["responses"].values())
    answer = client.request(method, path, json=body, data=data, version=999999 if needs else None, stream=endless)
    if endless and answer.ok:
        answer.close()
    return answer


def allowed(role, may):
    return "user" in may or role in may or (role == "admin" and ("admin" in may or "manager" in may))


# What an allowed request on nothing says, where that is 404: not the gate's word, but the handler's.
NOT_THERE = {"erasure_get": "there is no such erasure", "draft_get": "you have no draft of this assignment", "invite_revoke": "there is no such invite", "upload_get": "there is no such upload",
             "upload_drop": "there is no such upload", "upload_part": "there is no such upload", "upload_complete": "there is no such upload",
             "search_field_drop": "the project is not searched by this path"}


@pytest.mark.parametrize("name", BY_NAME)
def test_roles(api, world, name):
    method, template = BY_NAME[name]
    operation = api().ok("GET", "/openapi.json")["paths"][template][method.lower()]
    may = operation.get("x-may")
    named = "{" in template
    if may is None:
        assert attempt(api(), method, world(template), operation).status_code not in (401, 403, 404, 405, 500)
        return
    problem(attempt(api(), method, world(template), operation), 401, "unauthenticated")
    for role in MEMBERS:
        client, other = api(role), {}
        if name == "token_revoke":
            other = {"tokens": client.ok("POST", "/v1/tokens", 201, json={"name": "t"})["id"]}
        if name == "member_remove":
            api("admin").ok("PUT", world("/v1/projects/{id}/members/{user_id}"), json={"role": "annotator"})
        answer = attempt(client, method, world(template, **other), operation)
        if not allowed(role, may):
            problem(answer, 403, "forbidden")
        elif answer.status_code == 404:
            assert answer.json()["detail"] == NOT_THERE.get(name), f"{role}: {answer.text}"
        else:
            assert answer.status_code not in (401, 403, 500), f"{role}: {answer.text}"
    answer = attempt(api("outsider"), method, world(template), operation)
    hidden = named and not template.startswith("/v1/users/")
    if "user" not in may:  # who is in no project does not learn that there is one
        problem(answer, 404 if hidden else 403)
    if named:
        for role in ("admin", "manager", "annotator", "model"):
            answer = attempt(api(role, "b"), method, world(template), operation)
            problem(answer, 404 if hidden or allowed(role, may) else 403)


def test_ids_of_another_tenant_inside_bodies(api, world):
    desk = Desk(api, tenant="b", workflow={"prelabel": True})
    theirs = world("/v1/assignments/{id}").rpartition("/")[2]
    beats = desk("annotator").ok("POST", "/v1/heartbeats", json={"assignments": [{"id": int(theirs), "version": 0}]})
    assert beats == {"results": [{"id": int(theirs), "error": "lease-lost"}]}
    results = desk("model").ok("POST", f"{desk.path}/predictions", json={"predictions": [
        {"assignment": int(theirs), "version": 1, "model": "m", "result": []}]})["results"]
    assert results[0]["error"] == "not-found"
    problem(desk("admin").put(f"{desk.path}/members/{world.someone}", json={"role": "manager"}), 404)


def test_an_assignment_of_another_project_inside_a_body(api):
    one, two = Desk(api, workflow={"prelabel": True}), Desk(api, workflow={"prelabel": True})
    work = two.claim("model", "prelabel")
    entry = {"assignment": work["id"], "version": work["version"], "model": "m", "result": choice("cat")}
    results = one("model").ok("POST", f"{one.path}/predictions", json={"predictions": [entry]})["results"]
    assert results[0]["error"] == "not-found" and two.state() == "prelabel"


@pytest.mark.parametrize("stage, may", [("prelabel", {"model"}), ("annotate", {"annotator", "reviewer", "qa", "manager", "admin"}),
                                        ("review", {"reviewer", "qa", "manager", "admin"}), ("qa", {"qa", "manager", "admin"})])
def test_who_may_claim_what(api, world, stage, may):
    for role in MEMBERS:
        answer = api(role).post(world("/v1/projects/{id}/claims"), json={"stage": stage, "lease_s": 5, "count": 1})
        assert answer.status_code == (200 if role in may else 403), f"{role}: {answer.text}"
        for work in answer.json().get("assignments", []):
            world.desk.done(role, work, "release")


def test_a_role_ends_when_the_member_is_removed(api):
    desk = Desk(api)
    desk("annotator").ok("GET", desk.path)
    desk("admin").ok("DELETE", f"{desk.path}/members/{desk('annotator').user['id']}", 204)
    problem(desk("annotator").get(desk.path), 404)
    assert desk.path.rpartition("/")[2] not in {str(p["id"]) for p in desk("annotator").ok("GET", "/v1/me")["projects"]}


def test_nobody_changes_their_own_role(api):
    desk = Desk(api)
    path = f"{desk.path}/members/{desk('manager').user['id']}"
    problem(desk("manager").put(path, json={"role": "viewer"}), 403)
    problem(desk("manager").delete(path), 403)


# ---- tokens ----

def forgeries(client, key):
    header, payload, signature = token_parts(client)
    now = int(time.time())
    good = client.headers["Authorization"].partition(" ")[2]
    head, body, _ = good.split(".")
    none = b64(json.dumps(header | {"alg": "none"}).encode())
    return {
        "empty": "", "words": "abc", "two parts": f"{head}.{body}", "no signature": f"{head}.{body}.",
        "alg none": f"{none}.{body}.", "alg none, signed": f"{none}.{body}.{b64(signature)}",
        "alg HS512": forge(key, header | {"alg": "HS512"}, payload), "alg hs256": forge(key, header | {"alg": "hs256"}, payload),
        "wrong key": forge(bytes(32), header, payload), "unknown kid": forge(key, header | {"kid": "zz"}, payload),
        "unknown header": forge(key, header | {"jku": "http://a/"}, payload), "crit": forge(key, header | {"crit": "x"}, payload),
        "changed body": f"{head}.{b64(json.dumps(payload | {'adm': True, 'sub': '1'}).encode())}.{b64(signature)}",
        "expired": forge(key, header, payload | {"iat": now - 100, "exp": now - 1}),
        "from the future": forge(key, header, payload | {"iat": now + 3600, "exp": now + 7200}),
        "for ever": forge(key, header, payload | {"exp": now + 10**9}),
        "no exp": forge(key, header, {k: v for k, v in payload.items() if k != "exp"}),
        "not yet": forge(key, header, payload | {"nbf": now + 3600}),
        "another audience": forge(key, header, payload | {"aud": "x"}), "another issuer": forge(key, header, payload | {"iss": "x"}),
        "no user": forge(key, header, payload | {"sub": "x"}), "user 0": forge(key, header, payload | {"sub": "0"}),
        "tenant as text": forge(key, header, payload | {"tid": "1"}), "tenant 0": forge(key, header, payload | {"tid": 0}),
        "a flipped bit": good[:-5] + ("A" if good[-5] != "A" else "B") + good[-4:],
        "API token of nobody": "ann_1_1_" + "A" * 43, "API token, cut": "ann_1",
    }


def test_forged_tokens(api, server):
    client = api("annotator")
    key = (server.directory / "token.key").read_bytes()
    header, payload, _ = token_parts(client)
    tokens = forgeries(client, key)
    assert api().get("/v1/me", headers={"Authorization": f"Bearer {forge(key, header, payload)}"}).status_code == 200
    for name, token in tokens.items():
        answer = api().get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, f"{name}: {answer.status_code} {answer.text}"
        assert answer.headers["WWW-Authenticate"] == "Bearer", name
    for name, value in {"no scheme": "x", "basic": "Basic eDp5", "no token": "Bearer", "two": "Bearer a b"}.items():
        assert api().get("/v1/me", headers={"Authorization": value}).status_code == 401, name


def test_a_token_of_another_tenant_finds_nothing(api, server):
    """tid decides: the same user id in the other tenant is nobody."""
    header, payload, _ = token_parts(api("annotator"))
    key = (server.directory / "token.key").read_bytes()
    token = forge(key, header, payload | {"tid": token_parts(api("annotator", "b"))[1]["tid"]})
    problem(api().get("/v1/me", headers={"Authorization": f"Bearer {token}"}), 401)


def test_api_tokens(api):
    made = api("annotator").ok("POST", "/v1/tokens", 201, json={"name": "laptop"})
    as_token = {"Authorization": f"Bearer {made['token']}"}
    assert api().get("/v1/me", headers=as_token).json()["email"] == email("annotator")
    assert made["id"] in {t["id"] for t in api("annotator").ok("GET", "/v1/tokens")["tokens"]}
    for other in (api("annotator2"), api("admin"), api("annotator", "b")):
        problem(other.delete(f"/v1/tokens/{made['id']}"), 404)
    wrong = made["token"][:-6] + ("x" if made["token"][-6] != "x" else "y") + made["token"][-5:]
    problem(api().get("/v1/me", headers={"Authorization": f"Bearer {wrong}"}), 401)
    api("annotator").ok("DELETE", f"/v1/tokens/{made['id']}", 204)
    problem(api().get("/v1/me", headers=as_token), 401)
    assert made["id"] not in {t["id"] for t in api("annotator").ok("GET", "/v1/tokens")["tokens"]}


@pytest.mark.parametrize("address, password", [(email("annotator"), "wrong password"), ("nobody@a.example", "correct horse battery"),
                                               (email("annotator"), "x" * 511)])
def test_wrong_logins_look_alike(api, address, password):
    answer = problem(api().post("/v1/login", json={"email": address, "password": password}), 401, "unauthenticated")
    assert answer["detail"] == "the e-mail address or the password is wrong"


def test_a_disabled_user_is_out(api, db):
    made = api("admin").ok("POST", "/v1/users", 201, json={"email": "Gone@A.example", "name": "Gone", "password": "long enough"})
    assert made["email"] == "gone@a.example"
    client = api()
    client.login("GONE@a.example", "long enough")
    db.execute("UPDATE app_user SET disabled = true WHERE id = %s", (made["id"],))
    problem(client.get("/v1/me"), 401)
    problem(api().post("/v1/login", json={"email": "gone@a.example", "password": "long enough"}), 401)


def test_an_address_is_taken_once(api):
    problem(api("admin").post("/v1/users", json={"email": email("annotator", "b"), "name": "X", "password": "long enough"}), 409,
            "already-exists", "/email")


# ---- versions and leases ----

NEEDS_VERSION = [name for name in BY_NAME if name in (
    "project_update", "task_erase", "task_reopen", "task_archive", "task_restore", "heartbeat", "draft_put", "submit", "verdict", "skip", "release",
    "project_archive", "project_restore", "config_add",
    "label_adopt", "label_merge", "label_restore")]


@pytest.mark.parametrize("name", NEEDS_VERSION)
def test_if_match_is_needed(api, world, name):
    method, template = BY_NAME[name]
    path = world(template)
    problem(api("manager").request(method, path, json={}), 428, "version-required")
    problem(api("manager").request(method, path, json={}, headers={"If-Match": "*"}), 428, "version-required")
    for tag in ("3", '"x"', 'W/"3"', '"-1"', '""', '"3", "4"', '"99999999999999999999"', '"3"x'):
        problem(api("manager").request(method, path, json={}, headers={"If-Match": tag}), 400, "bad-request")


def test_the_table_says_which_routes_need_if_match(api):
    paths = api().ok("GET", "/openapi.json")["paths"]
    needs = {op["operationId"] for ops in paths.values() for op in ops.values() if versioned(op)}
    assert needs == set(NEEDS_VERSION) and len(NEEDS_VERSION) == 17


def test_stale_versions_of_tasks_and_projects(api):
    desk = Desk(api)
    version = desk.task()["version"]
    for stale in (version - 1, version + 1):
        problem(desk("manager").post(f"/v1/tasks/{desk.tasks[0]}/archive", version=stale), 412, "version-mismatch")
        problem(desk("manager").patch(desk.path, json={"name": "N"}, version=stale), 412, "version-mismatch")
    assert desk("manager").get(f"/v1/tasks/{desk.tasks[0]}").headers["ETag"] == f'"{version}"'
    assert desk("manager").ok("GET", desk.path)["name"] == "Animals"


ACTS = {"submit": {"result": choice("cat")}, "skip": {}, "release": None, "heartbeat": {}, "draft": {"result": []}}


def act(desk, role, work, verb, version):
    method = "PUT" if verb == "draft" else "POST"
    return desk(role).request(method, f"/v1/assignments/{work['id']}/{verb}", json=ACTS[verb], version=version)


@pytest.mark.parametrize("verb", ACTS)
def test_anothers_assignment(api, verb):
    desk = Desk(api)
    work = desk.claim("annotator")
    problem(act(desk, "annotator2", work, verb, work["version"]), 409, "lease-lost")
    problem(act(desk, "annotator2", work, verb, work["version"] + 1), 409, "lease-lost")
    assert desk.labels() == [] and desk.task()["assignments"][0]["holder"] == desk("annotator").user["id"]


@pytest.mark.parametrize("verb", ACTS)
def test_a_version_that_has_moved_on(api, verb):
    desk = Desk(api)
    old = desk.claim("annotator")
    desk.done("annotator", old, "release")
    new = desk.claim("annotator")
    assert new["id"] == old["id"] and new["version"] == old["version"] + 1
    answer = problem(act(desk, "annotator", old, verb, old["version"]), 412, "version-mismatch")
    problem(act(desk, "annotator", old, verb, old["version"] - 1), 412, "version-mismatch")
    if verb == "submit":
        assert desk.result(answer["late_label"]) == choice("cat")
    assert desk.task()["version"] == 1
    desk.submit("annotator", new)


@pytest.mark.parametrize("verb", ACTS)
def test_an_assignment_that_nobody_has_taken(api, verb):
    desk = Desk(api)
    problem(act(desk, "annotator", desk.task()["assignments"][0], verb, 0), 409)
    assert desk.labels() == [] and desk.task()["version"] == 1


@pytest.mark.parametrize("verb", ACTS)
def test_an_assignment_that_is_not_there(api, verb):
    desk = Desk(api)
    problem(act(desk, "annotator", {"id": 1 << 52}, verb, 1), 404)


@pytest.mark.parametrize("bad", ["0", "-1", "x", "9007199254740992", "99999999999999999999", "1.0", "%31x", "01x"])
def test_ids_that_are_none(api, bad):
    assert api("admin").get(f"/v1/tasks/{bad}").status_code in (400, 404)


def test_late_after_another_has_claimed(api):
    desk = Desk(api)
    late = desk.claim("annotator")
    desk.done("annotator", late, "release")
    taken = desk.claim("annotator2")
    first = problem(desk.act("annotator", late, "submit", {"result": choice("dog"), "lead_time": 7}), 412, "version-mismatch")
    again = problem(desk.act("annotator", late, "submit", {"result": choice("dog"), "lead_time": 7}), 412, "version-mismatch")
    assert again["late_label"] == first["late_label"]  # kept once
    other = problem(desk.act("annotator", late, "submit", {"result": choice("cat")}), 412)
    assert other["late_label"] != first["late_label"]
    kept = [label for label in desk.labels() if label["kind"] == "late"]
    assert [label["id"] for label in kept] == [first["late_label"], other["late_label"]]
    assert kept[0]["author"] == desk("annotator").user["id"] and kept[0]["lead_time"] == 7
    assert desk.result(first["late_label"]) == choice("dog")
    task = desk.task()
    assert task["version"] == 1 and task["head_label"] is None and task["state"] == "annotate"
    desk.submit("annotator2", taken)
    assert [label["seq"] for label in desk.labels()] == [1, 2, 3]


def test_late_work_is_taken_when_nobody_else_has_claimed(api):
    desk = Desk(api)
    work = desk.claim("annotator")
    desk.done("annotator", work, "release")
    assert desk.submit("annotator", work)["task"]["state"] == "review"


def test_the_very_same_submit_again(api):
    desk = Desk(api)
    work = desk.claim("annotator")
    first = desk.submit("annotator", work, "dog", lead_time=3)
    assert desk.submit("annotator", work, "dog", lead_time=3) == first
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    assert desk.submit("annotator", work, "dog") == first  # also when the task has gone on
    for _ in range(2):
        other = problem(desk.act("annotator", work, "submit", {"result": choice("cat")}), 409, "conflict")
        assert desk.result(other["late_label"]) == choice("cat")
        assert desk.submit("annotator", work, "dog") == first  # whatever else was sent in between
    assert desk.task()["version"] == 3 and [label["kind"] for label in desk.labels()] == ["submission", "late"]


@pytest.mark.parametrize("verdict, rest", [("accept", {}), ("reject", {"comments": [{"text": "no"}]}), ("fix", {"result": choice("dog")})])
def test_the_very_same_verdict_again(api, verdict, rest):
    desk = Desk(api)
    desk.annotate()
    judge = desk.claim("reviewer", "review")
    first = desk.verdict("reviewer", judge, verdict, **rest)
    assert desk.verdict("reviewer", judge, verdict, **rest) == first
    assert len(desk("viewer").ok("GET", f"/v1/tasks/{desk.tasks[0]}/comments")["comments"]) == (verdict == "reject")
    for other in {"accept", "reject"} - {verdict}:
        problem(desk.act("reviewer", judge, "verdict", {"verdict": other}), 409)


def test_the_very_same_skip_again(api):
    desk = Desk(api)
    work = desk.claim("annotator")
    first = desk.done("annotator", work, "skip", {"reason": "x"})
    assert desk.done("annotator", work, "skip", {"reason": "x"}) == first
    assert desk.actions().count("skip") == 1


@pytest.mark.parametrize("stage, verb, body", [("annotate", "verdict", {"verdict": "accept"}), ("review", "submit", {"result": choice("cat")}),
                                               ("review", "skip", {})])
def test_the_wrong_way_to_hand_in(api, stage, verb, body):
    desk = Desk(api)
    if stage == "review":
        desk.annotate("annotator")
    work = desk.claim("reviewer", stage)
    problem(desk.act("reviewer", work, verb, body), 409, "conflict")


# ---- bodies ----

BAD_JSON = {
    "nothing JSON": b"hello", "half": b'{"a":', "two": b"{} {}", "duplicate keys": b'{"a":1,"a":2}',
    "duplicate keys below": b'{"zz":{"b":1,"\\u0062":2}}', "depth bomb": b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
    "deep depth bomb": b"[" * 60000, "NaN": b'{"a":NaN}', "Infinity": b'{"a":-Infinity}', "bad UTF-8": b'{"a":"\xff"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}', "raw surrogate": b'{"a":"\xed\xa0\x80"}', "lone surrogate": b'{"a":"\\ud800"}',
    "NUL": b'{"a":"\\u0000"}', "raw control": b'{"a":"\x01"}', "comment": b'{"a":1/*x*/}', "trailing comma": b'{"a":1,}',
    "single quotes": b"{'a':1}", "big integer": b'{"a":9007199254740993}', "big number": b'{"a":1e999}', "leading zero": b'{"a":01}',
    "byte order mark": b"\xef\xbb\xbf{}",
}
TAKES_JSON = sorted(re.findall(r'\.name = "(\w+)"(?:(?!\.handler).)*?\.body = BODY_JSON', (ROOT / "annotate-server/routes.c").read_text(), re.S))


def send_raw(api, world, name, data, content_type="application/json"):
    method, template = BY_NAME[name]
    admins = name in ("user_update", "user_erase", "project_duplicate") or not ("projects/" in template or "{" in template)
    role = "model" if name == "predictions" else "admin" if admins else "manager"
    return api(role).request(method, world(template), data=data, version=999999, headers={"Content-Type": content_type})


@pytest.mark.parametrize("name", TAKES_JSON)
def test_bodies_that_are_no_json(api, world, name):
    assert len(TAKES_JSON) > 15
    for what, data in BAD_JSON.items():
        answer = send_raw(api, world, name, data)
        assert answer.status_code == 400 and answer.json()["type"] == "/errors/bad-json", f"{what}: {answer.text}"


@pytest.mark.parametrize("name", TAKES_JSON)
def test_bodies_of_another_shape(api, world, name):
    problem(send_raw(api, world, name, b"{}", "text/plain"), 415, "unsupported-media-type")
    none = [] if name in ("task_reopen", "task_search", "heartbeat", "skip", "export_create") else [None]  # there no body is {}
    for data in (b"[]", b"1", b"null", b'"x"', b"[{}]", *none):
        problem(send_raw(api, world, name, data), 422, "invalid", "")
    problem(send_raw(api, world, name, b'{"zz":1}'), 422, "invalid", "/zz")
    problem(send_raw(api, world, name, b'{"a/b~":1}'), 422, "invalid", "/a~1b~0")


VALUES = [None, True, -7, 0.5, "\u2603", "", [[]], [7], {"zz": 1}, 1 << 52]


@pytest.mark.parametrize("name", TAKES_JSON)
def test_what_the_schema_of_a_member_refuses_is_refused(api, world, name):
    contract = Contract(api().ok("GET", "/openapi.json"))
    method, template = BY_NAME[name]
    request = contract.schema(contract.document["paths"][template][method.lower()]["requestBody"])
    schema, refused = contract.document["components"]["schemas"][request], 0
    for member, value in itertools.product(schema["properties"], VALUES):
        if contract.fits(schema["properties"][member], value):
            continue
        refused += 1
        body = problem(send_raw(api, world, name, json.dumps({member: value}).encode()), 422)
        if set(schema.get("required", [])) <= {member}:
            assert body["pointer"].startswith(f"/{member}"), f"{member}: {value}: {body}"
    assert refused


LIMITS = [("claim", "/count", {"stage": "annotate", "count": 0}), ("claim", "/count", {"stage": "annotate", "count": 257}),
          ("claim", "/count", {"stage": "annotate", "count": 1.5}), ("claim", "/wait_s", {"stage": "annotate", "wait_s": 61}),
          ("claim", "/lease_s", {"stage": "annotate", "lease_s": 4}), ("claim", "/lease_s", {"stage": "annotate", "lease_s": 86401}),
          ("claim", "/stage", {"stage": "done"}), ("claim", "/stage", {"stage": "Annotate"}), ("claim", "/stage", {}),
          ("heartbeat", "/lease_s", {"lease_s": 4}), ("submit", "/result", {}), ("submit", "/result", {"result": {}}),
          ("submit", "/lead_time", {"result": [], "lead_time": -1}), ("submit", "/lead_time", {"result": [], "lead_time": "1"}),
          ("verdict", "/verdict", {"verdict": "pass"}), ("verdict", "/result", {"verdict": "accept", "result": []}),
          ("verdict", "/result", {"verdict": "fix"}), ("verdict", "/comments", {"verdict": "accept", "comments": {}}),
          ("verdict", "/comments", {"verdict": "accept", "comments": [{"text": "x"}] * 101}),
          ("verdict", "/comments/1", {"verdict": "accept", "comments": [{"text": "x"}, {}]}),
          ("verdict", "/comments/0", {"verdict": "accept", "comments": [{"text": ""}]}),
          ("verdict", "/comments/0", {"verdict": "accept", "comments": [{"text": "x", "zz": 1}]}),
          ("verdict", "/comments/0", {"verdict": "accept", "comments": ["x"]}),
          ("verdict", "/comments/0", {"verdict": "accept", "comments": [{"text": "x" * 10001}]}),
          ("skip", "/reason", {"reason": "x" * 1001}), ("draft_put", "/result", {"result": {}}),
          ("heartbeats", "/assignments", {}), ("heartbeats", "/assignments", {"assignments": [{"id": 1, "version": 1}] * 501}),
          ("predictions", "/predictions/0/assignment", {"predictions": [{"assignment": 0, "version": 1, "model": "m", "result": []}]}),
          ("predictions", "/predictions/0/version", {"predictions": [{"assignment": 1, "version": -1, "model": "m", "result": []}]}),
          ("heartbeats", "/assignments/0", {"assignments": [{"id": 1}]}), ("heartbeats", "/assignments/0", {"assignments": [{"id": 0, "version": 1}]}),
          ("heartbeats", "/assignments/0", {"assignments": [7]}), ("heartbeats", "/assignments/0", {"assignments": [{"id": 1, "version": -1}]}),
          ("heartbeats", "/assignments/1", {"assignments": [{"id": 1, "version": 1}, {"id": 1, "version": 1, "zz": 1}]}),
          ("predictions", "/predictions", {"predictions": []}), ("predictions", "/predictions/0/assignment", {"predictions": [{}]}),
          ("predictions", "/predictions/0/model", {"predictions": [{"assignment": 1, "version": 1, "result": []}]}),
          ("predictions", "/predictions/0/score", {"predictions": [{"assignment": 1, "version": 1, "model": "m", "result": [], "score": 1.1}]}),
          ("predictions", "/predictions/0/zz", {"predictions": [{"assignment": 1, "version": 1, "model": "m", "result": [], "zz": 1}]}),
          ("predictions", "/predictions/0/error", {"predictions": [{"assignment": 1, "version": 1, "model": "m"}]}),
          ("predictions", "/predictions/0/error", {"predictions": [{"assignment": 1, "version": 1, "model": "m", "error": "x", "result": []}]}),
          ("project_update", "/name", {"name": ""}), ("project_update", "/workflow/overlap", {"workflow": {"overlap": 10}}),
          ("project_update", "/workflow/zz", {"workflow": {"zz": 1}}),
          ("project_update", "/workflow/review/mode", {"workflow": {"review": {"mode": "some"}}}),
          ("project_create", "/name", {"label_config": "<View/>"}), ("project_create", "/name", {"name": "x" * 201, "label_config": "<View/>"}),
          ("project_create", "/label_config", {"name": "x", "label_config": "<View>"}),
          ("project_create", "/label_config", {"name": "x", "label_config": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><View>&e;</View>"}),
          ("member_put", "/role", {"role": "owner"}), ("release_create", "/name", {}),
          ("release_create", "/split", {"name": "x", "split": {"train": 0.5}}), ("release_create", "/split", {"name": "x", "split": []}),
          ("user_create", "/email", {"email": "x", "name": "X", "password": "long enough"}),
          ("user_create", "/password", {"email": "x@y.example", "name": "X", "password": "short"}),
          ("user_create", "/admin", {"email": "x@y.example", "name": "X", "password": "long enough", "admin": 1}),
          ("token_create", "/name", {"name": ""}), ("task_reopen", "/to", {"to": "done"}), ("login", "/password", {"email": "x"})]


@pytest.mark.parametrize("name, pointer, body", LIMITS, ids=[f"{n}{p}-{i}" for i, (n, p, _) in enumerate(LIMITS)])
def test_fields_out_of_range(api, world, name, pointer, body):
    answer = problem(send_raw(api, world, name, json.dumps(body).encode()), 422, "invalid")
    assert answer["pointer"].startswith(pointer), answer


# ---- labels ----

def wrong_boxes():
    def with_value(**changes):
        item = box()[0]
        return [item | {"value": item["value"] | changes}]
    yield "unknown label", with_value(rectanglelabels=["boot"]), "/result/0/value/rectanglelabels"
    yield "no label", with_value(rectanglelabels=[]), "/result/0/value/rectanglelabels"
    for member, bad in itertools.product(("x", "y", "width", "height"), (-1, 100.5, "1", None, [1])):
        yield f"{member} is {bad}", with_value(**{member: bad}), f"/result/0/value/{member}"
    yield "out at the right", with_value(x=90, width=20), "/result/0/value"
    yield "unknown tag", [box()[0] | {"from_name": "zz"}], "/result/0/from_name"
    yield "for another object", [box()[0] | {"to_name": "zz"}], "/result/0/to_name"
    yield "unknown type", [box()[0] | {"type": "zz"}], "/result/0/type"
    yield "another type", [box()[0] | {"type": "choices"}], "/result/0"
    yield "no id", [{k: v for k, v in box()[0].items() if k != "id"}], "/result/0/id"
    yield "id of blanks", [box()[0] | {"id": " "}], "/result/0/id"
    yield "no object", [7], "/result/0"
    yield "the second", box() + box(label="boot", region="b2"), "/result/1/value/rectanglelabels"
    yield "one id twice", box() + box(), "/result/"


@pytest.fixture(scope="module")
def boxes(api):
    desk = Desk(api, label_config=BOXES, workflow={"lease_s": {"annotate": 3600}})
    return desk, desk.claim("annotator")


@pytest.mark.parametrize("what, result, pointer", list(wrong_boxes()), ids=[w[0] for w in wrong_boxes()])
def test_labels_that_do_not_fit(boxes, what, result, pointer):
    desk, work = boxes
    answer = problem(desk.act("annotator", work, "submit", {"result": result}), 422, "label-invalid")
    assert answer["pointer"].startswith(pointer) and answer["detail"], answer
    assert desk.labels() == [] and desk.state() == "annotate"


def test_a_fix_is_checked_too(api):
    desk = Desk(api)
    desk.annotate()
    judge = desk.claim("reviewer", "review")
    problem(desk.act("reviewer", judge, "verdict", {"verdict": "fix", "result": choice("horse")}), 422, "label-invalid")
    assert desk.state() == "review"


@pytest.mark.parametrize("verb, method", [("submit", "POST"), ("draft", "PUT"), ("verdict", "POST")])
def test_a_label_of_ten_megabytes(api, world, verb, method):
    path = world("/v1/assignments/{id}") + f"/{verb}"
    head = {"Content-Type": "application/json"}
    body = b'{"result":[' + b'"' + b"x" * 10_000_000 + b'"]}'
    problem(api("manager").request(method, path, data=body, version=1, headers=head), 413, "too-large")
    pieces = (body[i:i + 65536] for i in range(0, len(body), 65536))  # and with no length told
    problem(api("manager").request(method, path, data=pieces, version=1, headers=head), 413, "too-large")


def test_a_large_label_within_the_limit(api):
    desk = Desk(api, label_config=BOXES, workflow={"review": {"mode": "none"}})
    result = [box(region=f"b{i}", x=i % 70)[0] for i in range(9000)]
    label = desk.submit("annotator", desk.claim("annotator"), result)["label"]
    assert desk.result(label["id"]) == result
