"""What a claim does not give: more than a cap, to who may no longer have it, more than one answer holds, work without its label."""
import threading
import time

import pytest

from kit import Desk, choice, problem
from stand import Office, Server


def waiting(desk, role):
    """A claim that waits: [answer] once it has ended, and its thread."""
    got, client = [], desk(role)
    t = threading.Thread(target=lambda: got.append(client.post(f"{desk.path}/claims", json={"stage": "annotate", "wait_s": 25}, timeout=60)))
    t.start()
    time.sleep(0.5)
    return got, t


def test_a_cap_holds_for_claims_at_once_on_two_servers(cluster):
    name = cluster.database()
    servers = [Server(cluster, name)]
    try:
        servers.append(Server(cluster, name, blobs=servers[0].blobs, token_key_file=servers[0].settings["token_key_file"]))
        offices = [Office(s) for s in servers]
        desk = Desk(offices[0], tasks=40, workflow={"max_leases": {"annotate": 2}})
        clients = [office("annotator") for office in offices]
        with cluster.connect(name) as db:
            for more in (True, False) * 5:
                threads = [threading.Thread(target=c.post, args=(f"{desk.path}/claims",), kwargs={"json": {"stage": "annotate", "count": 3, "more": more}})
                           for c in clients]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
                assert db.execute("SELECT count(*) FROM assignment WHERE state = 'leased'").fetchone() == (2,)
                db.execute("UPDATE assignment SET state = 'open', holder = NULL, lease_expires_at = NULL WHERE state = 'leased'")
    finally:
        for server in reversed(servers):
            server.stop()
        cluster.drop(name)


@pytest.mark.parametrize("how,status", [("disabled", 401), ("removed", 404), ("viewer", 403), ("archived", 409)])
def test_who_may_not_claim_any_more_waits_no_longer(api, db, how, status):
    desk = Desk(api, tasks=0)
    user = desk("annotator").user["id"]
    got, thread = waiting(desk, "annotator")
    start = time.monotonic()
    db.execute({"disabled": "UPDATE app_user SET disabled = true WHERE id = %(user)s",
                "removed": "DELETE FROM project_member WHERE project_id = %(project)s AND user_id = %(user)s",
                "viewer": "UPDATE project_member SET role = 'viewer' WHERE project_id = %(project)s AND user_id = %(user)s",
                "archived": "UPDATE project SET archived_at = now() WHERE id = %(project)s"}[how], {"user": user, "project": desk.project})
    thread.join()
    db.execute("UPDATE app_user SET disabled = false WHERE id = %s", (user,))
    assert time.monotonic() - start < 6
    problem(got[0], status)


def test_a_claim_holds_as_much_as_fits(api, db):
    desk = Desk(api, tasks=0)
    for n in range(4):
        api.tasks(desk.project, [{"image": f"/{n}", "text": "x" * (2 << 20)} for _ in range(5)])
    first = desk.claims("annotator", count=50)
    assert 10 <= len(first) < 20
    held = db.execute("SELECT count(*) FROM assignment WHERE project_id = %s AND state = 'leased'", (desk.project,)).fetchone()[0]
    assert held == len(first)
    rest = desk.claims("annotator2", count=50)
    assert len(first) + len(rest) == 20


def test_work_whose_label_is_corrupt_is_put_aside(api, db, server):
    desk = Desk(api, tasks=2)
    desk.annotate("annotator")
    task = next(t for t in desk.tasks if desk.state(t) == "review")
    off, = db.execute("SELECT pack_off FROM label_version WHERE task_id = %s", (task,)).fetchone()
    path = next(p for p in (server.directory / "blobs").rglob("*") if p.is_file() and b"choices" in p.read_bytes())
    path.chmod(0o600)
    good = path.read_bytes()
    path.write_bytes(good[:off + 5] + bytes([good[off + 5] ^ 1]) + good[off + 6:])
    assert desk.claims("reviewer", "review") == []
    assert "put aside" in server.text()
    assert desk.events(task)[-1]["detail"] == {"aside": True}
    assert desk.claims("reviewer", "review") == []  # nor does it come back at once
    path.write_bytes(good)
    desk("manager").ok("POST", f"{desk.path}/unassign", json={"stage": "review", "tasks": [task]})
    assert desk.claim("reviewer", "review")["label"]["result"] == choice("cat")


def test_a_label_whose_place_is_unknown_is_not_none(cluster):
    """A row that a restore or a hand has damaged: work on a person's label is put aside, a machine's is shown with its error."""
    name = cluster.database()
    server = Server(cluster, name)
    try:
        with cluster.connect(name) as db:
            db.execute("ALTER TABLE label_version DROP CONSTRAINT label_version_sha256_check")
            damage = "UPDATE label_version SET sha256 = '\\x00' WHERE task_id = %s"
            desk = Desk(Office(server), tasks=1)
            desk.annotate("annotator")
            db.execute(damage, (desk.tasks[0],))
            assert desk.claims("reviewer", "review") == []
            assert "put aside" in server.text() and desk.events()[-1]["detail"] == {"aside": True}

            desk = Desk(desk.api, tasks=1, workflow={"prelabel": True})
            work = desk.claim("model", "prelabel")
            told = desk("model").ok("POST", f"{desk.path}/predictions", json={"predictions": [
                {"assignment": work["id"], "version": work["version"], "model": "m", "result": choice("cat")}]})
            assert "label" in told["results"][0]
            db.execute(damage, (desk.tasks[0],))
            shown, = desk.claim("annotator")["predictions"]
            assert shown["error"] == "corrupt" and shown["result"] is None
    finally:
        server.stop()
        cluster.drop(name)
