"""A database that was restored from a dump: its events bear another cluster's transaction numbers. Statistics stand still and say so,
until `annotate migrate --restored`; then every event counts once."""
import subprocess
import time

import pytest

from kit import Desk, rules_broken_in, until
from stand import Office, Server, Worker
from test_lists import settle


@pytest.fixture(scope="module")
def restored(cluster, server, api, db, start_worker):
    """A server over a dump of the module's database, with the numbers of a cluster that has seen more transactions, and the project
    that was in it: (server, name, desk)."""
    desk = Desk(api, tasks=3, workflow={"review": {"mode": "none"}})
    start_worker("upkeep", poll_ms=10)
    desk.annotate()
    settle(db)
    name = cluster.database()
    cluster.script("postgres", f"DROP DATABASE {name}")
    cluster.create(name, "template0")
    dump = subprocess.run(["pg_dump", "-h", cluster.host, "-U", "postgres", server.database], capture_output=True, check=True)
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", cluster.host, "-U", "postgres", "-d", name], input=dump.stdout,
                   capture_output=True, check=True)
    with cluster.connect(name) as c:
        c.execute("UPDATE event SET xid = (xid::text::bigint + 1000000000)::text::xid8")
    other = Server(cluster, name, blobs=server.blobs, token_key_file=server.directory / "token.key")
    other.blobs = server.blobs
    yield other, name, desk
    other.stop()
    cluster.drop(name)


def submitted(desk):
    people = desk("viewer").ok("GET", f"{desk.path}/people")["people"]
    mine = next(p for p in people if p["user"] == desk("annotator").user["id"])["work"]
    return sum(w["actions"].get("submit", 0) for w in mine)


def test_statistics_say_when_they_stand_still_and_begin_anew(cluster, restored):
    server, name, before = restored
    assert submitted(before) == 1
    desk = Desk(Office(server), tasks=0)
    desk.project, desk.path, desk.tasks = before.project, before.path, before.tasks
    upkeep = Worker("upkeep", server, poll_ms=10)
    try:
        until(lambda: "digest_stop" in upkeep.text() and "annotate migrate --restored" in upkeep.text(), 20, "it says nothing")
        desk.annotate()  # work goes on
        with cluster.connect(name) as c:
            time.sleep(0.5)
            assert submitted(desk) == 1  # and is not counted
            said = cluster.cli(name, "migrate", "--restored")
            assert said.split()[0] == str(c.execute("SELECT count(*) FROM event").fetchone()[0])
            settle(c)
            assert submitted(desk) == 2
            desk.annotate()
            settle(c)
            assert submitted(desk) == 3
            assert rules_broken_in(c) == []
        found = desk("viewer").ok("POST", f"{desk.path}/tasks/search", json={"filter": {"field": "label", "op": "eq", "value": "cat"}})
        assert [task["id"] for task in found["tasks"]] == desk.tasks
    finally:
        upkeep.stop()


def test_where_nothing_was_restored_it_does_no_harm(cluster, api, db, database, start_worker):
    desk = Desk(api, tasks=2, workflow={"review": {"mode": "none"}})
    start_worker("upkeep", poll_ms=10)
    for role in ("annotator", "annotator2"):
        desk.annotate(role)
        said = cluster.cli(database, "migrate", "--restored")
        assert int(said.split()[0]) > 2
        settle(db)
        assert submitted(desk) == 1
