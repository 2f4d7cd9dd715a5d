"""Who gets in and who is put out: invites, changed and disabled users, passwords, tokens that end."""
import hashlib
import threading
import time

import pytest

from kit import Desk, forge, problem, token_parts
from stand import PASSWORD, email

LONG = "a good long password"


def invite(client, address, *projects, **more):
    """The answer to an invite that must be good; projects: (id, role)."""
    body = {"email": address, **more} | ({"projects": [{"id": p, "role": r} for p, r in projects]} if projects else {})
    return client.ok("POST", "/v1/invites", 201, json=body)


def accept(api, token, password=LONG, name="Newcomer"):
    return api().post("/v1/invites/accept", json={"token": token, "name": name, "password": password})


def as_session(api, answer):
    client = api()
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return client


# ---- invites ----

def test_an_invite_makes_a_user_who_is_logged_in(api, db):
    desk = Desk(api)
    made = invite(api("admin"), "First@A.example", (desk.project, "annotator"), name="First")
    assert made["email"] == "first@a.example" and made["token"].startswith("inv_")
    stored, = db.execute("SELECT encode(sha256, 'hex') FROM invite WHERE id = %s", (made["id"],)).fetchone()
    assert stored == hashlib.sha256(made["token"].encode()).hexdigest()  # and the token itself is nowhere
    days, = db.execute("SELECT extract(epoch FROM expires_at - created_at) / 86400 FROM invite WHERE id = %s", (made["id"],)).fetchone()
    assert days == 7
    answer = accept(api, made["token"], name="Ünï")
    assert answer.status_code == 201, answer.text
    assert answer.json()["user"] == {"id": answer.json()["user"]["id"], "email": "first@a.example", "name": "Ünï", "admin": False}
    me = as_session(api, answer).ok("GET", "/v1/me")
    assert me["projects"] == [{"id": desk.project, "name": "Animals", "role": "annotator"}]
    assert api().login("first@a.example", LONG)["user"]["id"] == me["id"]
    work = as_session(api, answer).ok("POST", f"{desk.path}/claims", json={"stage": "annotate"})["assignments"]
    assert len(work) == 1


def test_an_invite_is_listed_until_it_is_used_and_is_used_once(api):
    made = invite(api("admin"), "once@a.example")
    listed = {i["id"]: i for i in api("admin").ok("GET", "/v1/invites?limit=500")["invites"]}
    assert listed[made["id"]]["projects"] == [] and listed[made["id"]]["expired"] is False and "token" not in listed[made["id"]]
    assert accept(api, made["token"]).status_code == 201
    problem(accept(api, made["token"]), 404, "not-found")
    assert made["id"] not in {i["id"] for i in api("admin").ok("GET", "/v1/invites?limit=500")["invites"]}
    problem(api("admin").delete(f"/v1/invites/{made['id']}"), 404)


def test_the_list_is_paged(api):
    ids = {invite(api("admin"), f"page{n}@a.example")["id"] for n in range(5)}
    seen, after = [], 0
    while after is not None:
        page = api("admin").ok("GET", f"/v1/invites?limit=2&after={after}")
        seen += [i["id"] for i in page["invites"]]
        after = page["next"]
    assert seen == sorted(set(seen)) and ids <= set(seen)


def test_managers_invite_to_their_own_projects_only(api):
    mine, other = Desk(api, tasks=0), api("admin").ok("POST", "/v1/projects", 201, json={"name": "N", "template": "ner"})["id"]
    made = invite(api("manager"), "m1@a.example", (mine.project, "reviewer"))
    for role in ("annotator", "reviewer", "qa", "viewer", "model", "outsider"):
        problem(api(role).post("/v1/invites", json={"email": "m2@a.example", "projects": [{"id": mine.project, "role": "viewer"}]}), 403)
        problem(api(role).post("/v1/invites", json={"email": "m2@a.example"}), 403)
        problem(api(role).delete(f"/v1/invites/{made['id']}"), 404)
        assert api(role).ok("GET", "/v1/invites")["invites"] == []
    problem(api("manager").post("/v1/invites", json={"email": "m2@a.example"}), 403)  # to the tenant alone: administrators
    problem(api("manager").post("/v1/invites", json={"email": "m2@a.example", "projects": [{"id": other, "role": "viewer"}]}), 403)
    problem(api("manager").post("/v1/invites", json={"email": "m2@a.example", "projects": [
        {"id": mine.project, "role": "viewer"}, {"id": other, "role": "viewer"}]}), 403)
    problem(api("admin", "b").post("/v1/invites", json={"email": "m2@b.example", "projects": [{"id": mine.project, "role": "viewer"}]}), 404)
    problem(api("admin", "b").delete(f"/v1/invites/{made['id']}"), 404)
    assert made["id"] not in {i["id"] for i in api("admin", "b").ok("GET", "/v1/invites")["invites"]}
    assert made["id"] in {i["id"] for i in api("manager").ok("GET", "/v1/invites")["invites"]}
    assert accept(api, made["token"]).status_code == 201


@pytest.mark.parametrize("pointer, body", [
    ("/email", {"email": "nobody"}), ("/email", {}), ("/name", {"email": "x@y.example", "name": ""}), ("/zz", {"email": "x@y.example", "zz": 1}),
    ("/projects", {"email": "x@y.example", "projects": {}}), ("/projects/0", {"email": "x@y.example", "projects": [7]}),
    ("/projects/0", {"email": "x@y.example", "projects": [{"id": 1}]}), ("/projects/0", {"email": "x@y.example", "projects": [{"id": 0, "role": "qa"}]}),
    ("/projects/0", {"email": "x@y.example", "projects": [{"id": 1, "role": "owner"}]}),
    ("/projects/0", {"email": "x@y.example", "projects": [{"id": 1, "role": "qa", "zz": 1}]}),
    ("/projects/1", {"email": "x@y.example", "projects": [{"id": 1, "role": "qa"}, {"id": 1, "role": "viewer"}]}),
    ("/projects", {"email": "x@y.example", "projects": [{"id": n + 1, "role": "qa"} for n in range(101)]})])
def test_bad_invites(api, pointer, body):
    problem(api("admin").post("/v1/invites", json=body), 422, "invalid", pointer)


@pytest.mark.parametrize("body, pointer", [
    ({"name": "N", "password": LONG}, "/token"), ({"token": "x", "password": LONG}, "/name"), ({"token": "x", "name": "N"}, "/password"),
    ({"token": "x", "name": "N", "password": "short"}, "/password"), ({"token": "x", "name": "", "password": LONG}, "/name"),
    ({"token": "x", "name": "N", "password": LONG, "zz": 1}, "/zz")])
def test_bad_acceptances(api, body, pointer):
    problem(api().post("/v1/invites/accept", json=body), 422, "invalid", pointer)


def test_tokens_that_are_no_good_look_alike(api, db):
    taken_back, expired = invite(api("admin"), "back@a.example"), invite(api("admin"), "late@a.example")
    api("admin").ok("DELETE", f"/v1/invites/{taken_back['id']}", 204)
    db.execute("UPDATE invite SET expires_at = now() - interval '1 second' WHERE id = %s", (expired["id"],))
    good = invite(api("admin"), "good@a.example")["token"]
    head, _, secret = good.rpartition("_")
    flipped = head + "_" + ("A" if secret[0] != "A" else "B") + secret[1:]
    api_token = api("admin").ok("POST", "/v1/tokens", 201, json={"name": "t"})["token"]
    tokens = [taken_back["token"], expired["token"], flipped, good[:-1], "inv_1_1_" + "A" * 43, f"inv_999999_1_{'A' * 43}", "x", api_token]
    said = {problem(accept(api, token), 404, "not-found")["detail"] for token in tokens}
    assert len(said) == 1
    assert expired["id"] in {i["id"] for i in api("admin").ok("GET", "/v1/invites?limit=500")["invites"] if i["expired"]}
    for address in ("back@a.example", "late@a.example"):
        assert db.execute("SELECT count(*) FROM app_user WHERE email = %s", (address,)).fetchone() == (0,)
    problem(api().get("/v1/me", headers={"Authorization": f"Bearer {good}"}), 401)  # no token of a person
    assert accept(api, good).status_code == 201


def test_a_bad_token_costs_a_password(api):
    """Answers are no faster for what is no invite than for one: the least of five, as the machine may be busy."""
    def least(token):
        times = []
        for _ in range(5):
            began = time.monotonic()
            accept(api, token)
            times.append(time.monotonic() - began)
        return min(times)
    used = invite(api("admin"), "timing@a.example")["token"]
    began = time.monotonic()
    assert accept(api, used).status_code == 201
    whole = time.monotonic() - began
    assert least("x") > whole / 8 and least(used) > whole / 8


def test_who_is_there_already_joins_with_their_own_password(api):
    desk = Desk(api, tasks=0)
    outsider = api("outsider").user["id"]
    made = invite(api("manager"), email("outsider"), (desk.project, "qa"))
    problem(api("outsider").get(desk.path), 404)
    problem(accept(api, made["token"], "not the password"), 401, "unauthenticated")  # whoever has the token is not that person
    answer = accept(api, made["token"], PASSWORD, "Another name")
    assert answer.status_code == 201 and answer.json()["user"]["id"] == outsider and answer.json()["user"]["name"] == "Outsider"
    assert api("outsider").ok("GET", desk.path)["role"] == "qa"  # at once, although it was refused a moment ago
    again = invite(api("admin"), email("outsider"), (desk.project, "viewer"))
    assert accept(api, again["token"], PASSWORD).status_code == 201
    assert api("outsider").ok("GET", desk.path)["role"] == "qa"  # a role there is stays
    api("admin").ok("DELETE", f"{desk.path}/members/{outsider}", 204)


def test_an_address_of_another_tenant_cannot_join(api):
    made = invite(api("admin"), email("annotator", "b"))
    problem(accept(api, made["token"], PASSWORD), 409, "already-exists")
    assert made["id"] in {i["id"] for i in api("admin").ok("GET", "/v1/invites?limit=500")["invites"]}  # and is not used up


def test_an_invite_ends_with_the_right_to_invite(api, db):
    desk = Desk(api, tasks=0)
    boss = api("admin").ok("POST", "/v1/users", 201, json={"email": "boss@a.example", "name": "Boss", "password": LONG})
    api("admin").ok("PUT", f"{desk.path}/members/{boss['id']}", json={"role": "manager"})
    client = api()
    client.login("boss@a.example", LONG)
    one, two = (invite(client, f"by-boss{n}@a.example", (desk.project, "viewer")) for n in range(2))
    api("admin").ok("PUT", f"{desk.path}/members/{boss['id']}", json={"role": "viewer"})
    problem(accept(api, one["token"]), 404)
    api("admin").ok("PUT", f"{desk.path}/members/{boss['id']}", json={"role": "manager"})
    assert accept(api, one["token"]).status_code == 201
    api("admin").ok("PATCH", f"/v1/users/{boss['id']}", json={"disabled": True})
    problem(accept(api, two["token"]), 404)
    assert db.execute("SELECT count(*) FROM app_user WHERE email = 'by-boss1@a.example'").fetchone() == (0,)


def test_two_accept_one_invite(api, db):
    for n in range(5):
        made = invite(api("admin"), f"race{n}@a.example")
        answers = []

        def go():
            answers.append(accept(api, made["token"]))
        threads = [threading.Thread(target=go) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        codes = sorted(a.status_code for a in answers)
        assert codes[0] == 201 and set(codes[1:]) <= {404, 409}, codes
        assert db.execute("SELECT count(*) FROM app_user WHERE email = %s", (f"race{n}@a.example",)).fetchone() == (1,)


def test_two_invites_of_one_address(api):
    one, two = invite(api("admin"), "twice@a.example"), invite(api("admin"), "twice@a.example")
    assert accept(api, one["token"]).status_code == 201
    problem(accept(api, two["token"], "another password"), 401)
    assert accept(api, two["token"]).status_code == 201  # joins


# ---- users ----

@pytest.fixture
def person(api, request):
    """A user of their own, with a session: (id, client)."""
    address = f"{abs(hash(request.node.name)):x}@a.example"
    made = api("admin").ok("POST", "/v1/users", 201, json={"email": address, "name": "P", "password": LONG})
    client = api()
    client.login(address, LONG)
    client.ok("GET", "/v1/me")
    client.address = address
    return made["id"], client


def test_a_user_is_changed(api, person):
    user, client = person
    changed = api("admin").ok("PATCH", f"/v1/users/{user}", json={"name": "Ünï"})
    assert changed == {"id": user, "email": client.address, "name": "Ünï", "admin": False, "disabled": False}
    assert client.ok("GET", "/v1/me")["name"] == "Ünï"
    problem(api("admin").patch(f"/v1/users/{user}", json={"name": ""}), 422, "invalid", "/name")
    problem(api("admin").patch(f"/v1/users/{1 << 50}", json={"name": "X"}), 404)
    for role in ("manager", "annotator", "outsider"):
        problem(api(role).patch(f"/v1/users/{user}", json={"name": "X"}), 403)
    problem(api("admin", "b").patch(f"/v1/users/{user}", json={"disabled": True}), 404)


def test_administrators_do_not_change_themselves(api):
    path = f"/v1/users/{api('admin').user['id']}"
    problem(api("admin").patch(path, json={"admin": False}), 403)
    problem(api("admin").patch(path, json={"admin": True}), 403)
    problem(api("admin").patch(path, json={"disabled": True}), 403)
    assert api("admin").ok("PATCH", path, json={"name": "Admin"})["admin"] is True


def test_what_is_given_and_taken_holds_at_once(api, person):
    """On every connection, so on both threads of the server."""
    user, client = person

    def codes(path):
        return {client.get(path, headers={"Connection": "close"}).status_code for _ in range(12)}
    assert codes("/v1/users") == {403}
    api("admin").ok("PATCH", f"/v1/users/{user}", json={"admin": True})
    assert codes("/v1/users") == {200}  # the token still says otherwise: the row decides
    api("admin").ok("PATCH", f"/v1/users/{user}", json={"admin": False})
    assert codes("/v1/users") == {403}
    api("admin").ok("PATCH", f"/v1/users/{user}", json={"disabled": True})
    assert codes("/v1/me") == {401}


def test_a_disabled_user_is_out_everywhere(api, person):
    user, client = person
    desk = Desk(api, tasks=2)
    api("admin").ok("PUT", f"{desk.path}/members/{user}", json={"role": "annotator"})
    token = client.ok("POST", "/v1/tokens", 201, json={"name": "t"})["token"]
    machine = {"Authorization": f"Bearer {token}"}
    work = client.ok("POST", f"{desk.path}/claims", json={"stage": "annotate"})["assignments"][0]
    assert api().get("/v1/me", headers=machine).status_code == 200
    api("admin").ok("PATCH", f"/v1/users/{user}", json={"disabled": True})
    problem(api().get("/v1/me", headers=machine), 401)
    for method, path, body in (("GET", "/v1/me", None), ("GET", desk.path, None), ("GET", f"/v1/tasks/{desk.tasks[0]}", None),
                               ("POST", f"{desk.path}/claims", {"stage": "annotate"}), ("POST", "/v1/tokens", {"name": "x"}),
                               ("POST", "/v1/heartbeats", {"assignments": [{"id": work["id"], "version": work["version"]}]}),
                               ("POST", f"/v1/assignments/{work['id']}/skip", {}), ("POST", "/v1/assets", None)):
        problem(client.request(method, path, json=body, version=work["version"]), 401, "unauthenticated")
    problem(api().post("/v1/login", json={"email": client.address, "password": LONG}), 401)
    assert user in {u["id"] for u in api("admin").ok("GET", "/v1/users?disabled=true&limit=500")["users"]}
    assert user not in {u["id"] for u in api("admin").ok("GET", "/v1/users?limit=500")["users"]}
    problem(api("admin").get("/v1/users?disabled=yes"), 422, "invalid", "/disabled")
    api("admin").ok("PATCH", f"/v1/users/{user}", json={"disabled": False})
    problem(client.get("/v1/me"), 401)  # tokens of before stay dead
    client.login(client.address, LONG)
    client.ok("GET", desk.path)


def test_another_server_learns_within_five_seconds(api, person, start_server):
    user, client = person
    other = start_server(token_key_file=api.server.directory / "token.key", blobs=api.server.blobs)
    assert client.get(f"{other.url}/v1/me").status_code == 200
    api("admin").ok("PATCH", f"/v1/users/{user}", json={"disabled": True})
    end = time.monotonic() + 6
    while client.get(f"{other.url}/v1/me").status_code == 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert client.get(f"{other.url}/v1/me").status_code == 401


def test_a_token_of_another_epoch_is_dead(api, server):
    header, payload, _ = token_parts(api("annotator"))
    key = (server.directory / "token.key").read_bytes()
    for claims, code in (({}, 200), ({"epo": 0}, 200), ({"epo": 1}, 401), ({"epo": 1 << 40}, 401), ({"epo": -1}, 401), ({"epo": "0"}, 401)):
        token = forge(key, header, {k: v for k, v in payload.items() if k != "epo"} | claims)
        assert api().get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == code, claims


# ---- passwords ----

def test_a_new_password_ends_the_other_logins(api, person):
    user, client = person
    elsewhere = api()
    elsewhere.login(client.address, LONG)
    machine = {"Authorization": f"Bearer {client.ok('POST', '/v1/tokens', 201, json={'name': 't'})['token']}"}
    answer = client.ok("POST", "/v1/me/password", json={"old": LONG, "new": "another good one"})
    assert answer["user"]["id"] == user
    problem(client.get("/v1/me"), 401)
    problem(elsewhere.get("/v1/me"), 401)
    client.headers["Authorization"] = f"Bearer {answer['token']}"
    client.ok("GET", "/v1/me")
    assert api().get("/v1/me", headers=machine).status_code == 200  # a machine's token is ended by name, not by this
    problem(api().post("/v1/login", json={"email": client.address, "password": LONG}), 401)
    api().login(client.address, "another good one")


def test_refused_passwords(api, person):
    _, client = person
    problem(client.post("/v1/me/password", json={"old": "wrong one", "new": "another good one"}), 422, "invalid", "/old")
    problem(client.post("/v1/me/password", json={"old": LONG, "new": "short"}), 422, "invalid", "/new")
    problem(client.post("/v1/me/password", json={"old": LONG}), 422, "invalid", "/new")
    problem(client.post("/v1/me/password", json={"new": LONG}), 422, "invalid", "/old")
    problem(api().post("/v1/me/password", json={"old": LONG, "new": LONG}), 401)
    client.ok("GET", "/v1/me")
    api().login(client.address, LONG)


def test_guessing_is_limited_by_every_way_in(api, person):
    _, client = person
    token = invite(api("admin"), client.address)["token"]
    ways = (lambda: accept(api, token, "wrong password"), lambda: client.post("/v1/me/password", json={"old": "wrong one", "new": LONG}))
    codes = [ways[n % 2]().status_code for n in range(10)]
    assert codes == [401, 422] * 5
    assert any(ways[n % 2]().status_code == 429 for n in range(60))  # one more a second is let through
    for way in (*ways, lambda: api().post("/v1/login", json={"email": client.address, "password": LONG})):
        assert any("Retry-After" in way().headers for _ in range(20))


def test_two_new_passwords_at_once(api, person):
    _, client = person
    header = dict(client.headers)
    answers = []

    def go(n):
        answers.append(api().post("/v1/me/password", json={"old": LONG, "new": f"password number {n}"}, headers=header))
    threads = [threading.Thread(target=go, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    codes = sorted(a.status_code for a in answers)
    assert codes[0] == 200 and set(codes[1:]) <= {401, 422}, codes
