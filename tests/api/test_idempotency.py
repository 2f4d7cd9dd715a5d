"""I4: an Idempotency-Key gets the first answer again, for every write, also when the server dies in between."""
import concurrent.futures
import uuid

import pytest
from kit import Desk, choice, problem, until
from stand import CHOICES


def keyed(key=None, **more):
    return {"Idempotency-Key": key or str(uuid.uuid4())} | more


def repeat(client, method, path, version=None, **rest):
    """Sends it twice under one key; both answers are the same. The first one's JSON."""
    headers = keyed()
    first = client.request(method, path, version=version, headers=headers, **rest)
    again = client.request(method, path, version=version, headers=headers, **rest)
    assert (again.status_code, again.content) == (first.status_code, first.content), (first.text, again.text)
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    return first.json() if first.content else None


def test_writes_happen_once(api, db):
    admin = api("admin")
    address = f"{uuid.uuid4().hex}@a.example"
    user = repeat(admin, "POST", "/v1/users", json={"email": address, "name": "N", "password": "long enough"})
    assert db.execute("SELECT count(*) FROM app_user WHERE email = %s", [address]).fetchone() == (1,)
    name = uuid.uuid4().hex
    project = repeat(admin, "POST", "/v1/projects", json={"name": name, "label_config": CHOICES})
    assert db.execute("SELECT count(*) FROM project WHERE name = %s", [name]).fetchone() == (1,)
    repeat(admin, "PUT", f"/v1/projects/{project['id']}/members/{user['id']}", json={"role": "viewer"})
    repeat(admin, "PATCH", f"/v1/projects/{project['id']}", version=project["version"], json={"paused": True})
    assert admin.ok("GET", f"/v1/projects/{project['id']}")["version"] == project["version"] + 1
    repeat(admin, "DELETE", f"/v1/projects/{project['id']}/members/{user['id']}")
    token = admin.ok("POST", "/v1/tokens", 201, json={"name": name})
    repeat(admin, "DELETE", f"/v1/tokens/{token['id']}")
    repeat(admin, "POST", f"/v1/projects/{project['id']}/releases", json={"name": "r"})
    assert db.execute("SELECT count(*) FROM release WHERE project_id = %s", [project["id"]]).fetchone() == (1,)


def test_work_is_handed_in_once(api, db):
    desk = Desk(api, tasks=3, workflow={"review": {"mode": "all"}})
    path = "/v1/assignments/{}/{}".format
    a = desk.claim("annotator")
    repeat(api("annotator"), "POST", path(a["id"], "submit"), a["version"], json={"result": choice("cat")})
    r = desk.claim("reviewer", "review")
    repeat(api("reviewer"), "POST", path(r["id"], "verdict"), r["version"], json={"verdict": "accept"})
    b = desk.claim("annotator")
    repeat(api("annotator"), "POST", path(b["id"], "skip"), b["version"], json={"reason": "blurred"})
    c = desk.claim("annotator")
    repeat(api("annotator"), "PUT", path(c["id"], "draft"), c["version"], json={"result": []})
    repeat(api("annotator"), "POST", path(c["id"], "release"), c["version"])
    done = api("manager").ok("GET", f"/v1/tasks/{a['task']['id']}")
    repeat(api("manager"), "POST", f"/v1/tasks/{done['id']}/reopen", done["version"], json={"to": "review"})
    events = db.execute("SELECT action, count(*) FROM event WHERE project_id = %s GROUP BY action", [desk.project])
    assert dict(events.fetchall()) == {"import": 3, "claim": 4, "submit": 1, "accept": 1, "skip": 1, "release": 1, "reopen": 1}


def test_pre_labels_are_taken_once(api, db):
    desk = Desk(api, tasks=2, workflow={"prelabel": True})
    a, b = desk.claims("model", "prelabel", count=2)
    one = {"assignment": a["id"], "version": a["version"], "model": "m@1", "result": choice("cat")}
    mixed = [one, {"assignment": b["id"], "version": b["version"] + 1, "model": "m@1", "result": choice("dog")}]
    first = repeat(api("model"), "POST", f"{desk.path}/predictions", json={"predictions": mixed})["results"]
    assert first[0]["label"] and first[1]["error"] == "version-mismatch"
    assert db.execute("SELECT count(*) FROM label_version WHERE project_id = %s", [desk.project]).fetchone() == (1,)
    key = str(uuid.uuid4())
    api("model").ok("POST", f"{desk.path}/predictions", headers=keyed(key), json={"predictions": mixed})
    problem(api("model").post(f"{desk.path}/predictions", headers=keyed(key), json={"predictions": [one]}), 422, "invalid")


def test_a_bulk_accept_is_the_first_one_even_of_nothing(api):
    desk = Desk(api, tasks=1, workflow={"review": {"mode": "all"}})
    headers = keyed()
    accept = lambda headers: api("manager").ok("POST", f"{desk.path}/accept", headers=headers, json={"tasks": desk.tasks})
    first = accept(headers)
    assert first["accepted"] == [] and first["refused"][0]["error"] == "conflict"
    desk.annotate()
    assert accept(headers) == first and desk.state() == "review"
    assert repeat(api("manager"), "POST", f"{desk.path}/accept", json={"tasks": desk.tasks})["accepted"][0]["state"] == "done"


def test_claims_and_heartbeats_are_looked_at_anew(api):
    """docs/api.md: a key changes nothing for them, as a repetition is safe and an old answer would be of old leases."""
    desk = Desk(api, tasks=2)
    headers = keyed()
    client = api("annotator")
    ask = lambda: client.ok("POST", f"{desk.path}/claims", headers=headers, json={"stage": "annotate"})["assignments"][0]
    first = ask()
    assert ask()["id"] == first["id"]
    beat = lambda: client.post("/v1/heartbeats", headers=headers, json={"assignments": [{"id": first["id"], "version": first["version"]}]})
    assert "error" not in beat().json()["results"][0]
    desk.submit("annotator", first)
    assert beat().json()["results"][0]["error"] == "lease-lost" and ask()["id"] != first["id"]


def test_the_answer_is_kept_in_the_same_words(api, db):
    """transition_apply prints the kept answer in SQL, the server the first one in C: the same bytes."""
    desk = Desk(api, tasks=1)
    a = desk.claim("annotator")
    first = api("annotator").post(f"/v1/assignments/{a['id']}/submit", version=a["version"], headers=keyed("same-bytes"),
                                  json={"result": choice("cat")})
    kept = db.execute("SELECT answer FROM idempotency_key WHERE key = 'same-bytes'").fetchone()[0]
    assert kept == first.text


@pytest.mark.parametrize("change", ["body", "path", "method"])
def test_another_request_under_the_key_is_refused(api, change):
    admin, key = api("admin"), str(uuid.uuid4())
    project = {"name": "one", "label_config": CHOICES}
    made = admin.ok("POST", "/v1/projects", 201, headers=keyed(key), json=project)["id"]
    method, path, body = {"body": ("POST", "/v1/projects", project | {"name": "two"}),
                          "path": ("POST", f"/v1/projects/{made}/releases", project),
                          "method": ("DELETE", f"/v1/projects/{made}/members/1", None)}[change]
    problem(admin.request(method, path, headers=keyed(key), json=body), 422, "invalid")


def test_keys_belong_to_a_person_and_a_tenant(api):
    key = str(uuid.uuid4())
    ids = {api("admin", tenant).ok("POST", "/v1/projects", 201, headers=keyed(key), json={"name": "mine", "label_config": CHOICES})["id"]
           for tenant in ("a", "b")}
    assert len(ids) == 2


def test_secrets_are_kept_nowhere(api, db):
    token = api("admin").ok("POST", "/v1/tokens", 201, headers=keyed("secret"), json={"name": "n"})["token"]
    assert db.execute("SELECT count(*) FROM idempotency_key WHERE key = 'secret' OR answer LIKE %s", [f"%{token}%"]).fetchone() == (0,)


@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "caf\u00e9".encode().decode("latin-1")])
def test_bad_keys_are_refused(api, key):
    problem(api("admin").post("/v1/tokens", headers={"Idempotency-Key": key}, json={"name": "n"}), 400, "bad-request")


def test_a_refusal_is_an_answer_too(api):
    admin = api("admin")
    key = str(uuid.uuid4())
    body = {"name": "", "label_config": CHOICES}
    first = admin.post("/v1/projects", headers=keyed(key), json=body)
    again = admin.post("/v1/projects", headers=keyed(key), json=body)
    assert first.status_code == again.status_code == 422


def test_equal_requests_at_once_are_one(api, db):
    """Both look the key up before either has written it: the second write must be undone."""
    admin = api("admin")
    token = admin.headers["Authorization"]
    for _ in range(20):
        name, key = uuid.uuid4().hex, str(uuid.uuid4())

        def send(_):
            client = api()
            client.headers["Authorization"] = token
            return client.post("/v1/projects", headers=keyed(key), json={"name": name, "label_config": CHOICES})

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(send, range(8)))
        assert {a.status_code for a in answers} == {201}, [a.text for a in answers]
        assert len({a.json()["id"] for a in answers}) == 1
        assert db.execute("SELECT count(*) FROM project WHERE name = %s", [name]).fetchone() == (1,)


def test_equal_submits_at_once_are_one(api, db):
    desk = Desk(api, tasks=10)
    token = api("annotator").headers["Authorization"]
    for a in desk.claims("annotator", count=10):
        key = str(uuid.uuid4())

        def send(_):
            client = api()
            client.headers["Authorization"] = token
            return client.post(f"/v1/assignments/{a['id']}/submit", version=a["version"], headers=keyed(key),
                               json={"result": choice("dog")})

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = {(r.status_code, r.text) for r in pool.map(send, range(6))}
        assert len(answers) == 1 and {s for s, _ in answers} == {200}
    assert db.execute("SELECT count(*) FROM label_version WHERE project_id = %s", [desk.project]).fetchone() == (10,)


def test_answers_survive_the_server(server, api):
    desk = Desk(api, tasks=1)
    a = desk.claim("annotator")
    send = lambda: api("annotator").post(f"/v1/assignments/{a['id']}/submit", version=a["version"], headers=keyed("killed"),
                                         json={"result": choice("cat")})
    first = send()
    server.kill()
    server.start()
    again = send()
    assert (again.status_code, again.text) == (200, first.text)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_keys_are_forgotten_after_a_day(api, db, start_worker):
    for key in ("old", "young"):
        api("admin").ok("POST", "/v1/projects", 201, headers=keyed(key), json={"name": key, "label_config": CHOICES})
    db.execute("UPDATE idempotency_key SET created_at = now() - interval '25 hours' WHERE key = 'old'")
    start_worker("upkeep", poll_ms=20)
    until(lambda: db.execute("SELECT count(*) FROM idempotency_key WHERE key = 'old'").fetchone() == (0,))
    assert db.execute("SELECT count(*) FROM idempotency_key WHERE key = 'young'").fetchone() == (1,)
