"""An import whose server dies: it is closed, its row says what is in, and the same file again brings the rest, nothing twice."""
import json
import threading

import pytest
import requests

from kit import Desk, choice, until

COUNT = 30_000


def file(bad_every=None):
    """NDJSON with external ids, some with a prediction, and text that is no task at some places."""
    lines = []
    for n in range(COUNT):
        item = {"data": {"image": f"/{n}.png"}, "external_id": f"e{n}"}
        if n % 50 == 0:
            item["predictions"] = [{"result": choice("cat"), "score": 0.5}]
        lines.append("{}" if bad_every and n % bad_every == 7 else json.dumps(item))
    return "\n".join(lines).encode()


def send(desk, data, errors):
    return desk("manager").post(f"{desk.path}/tasks?errors={errors}", data=data, headers={"Content-Type": "application/x-ndjson"}, timeout=120)


def row(desk):
    return desk("viewer").ok("GET", f"{desk.path}/imports?limit=1")["imports"][0]


def stored(db, desk):
    return db.execute("SELECT count(*), count(DISTINCT external_id) FROM task WHERE project_id = %s", (desk.project,)).fetchone()


@pytest.mark.parametrize("errors", ["refuse", "stop", "skip"])
def test_killed_in_the_middle(db, server, api, start_worker, errors):
    desk, answers = Desk(api, tasks=0), []
    data, good = (file(100), COUNT - COUNT // 100) if errors == "skip" else (file(), COUNT)
    desk("manager"), desk("viewer")

    def sender():
        try:
            answers.append(send(desk, data, errors).status_code)
        except requests.RequestException:
            answers.append(None)

    thread = threading.Thread(target=sender)
    thread.start()
    until(lambda: db.execute("SELECT sum(created) FROM import WHERE project_id = %s", (desk.project,)).fetchone()[0], 60, "it does not begin")
    server.kill()
    thread.join(60)
    server.start()
    assert answers == [None]
    left = row(desk)
    assert left["state"] == "running" and left["ended_at"] is None and 0 < left["created"] < good
    start_worker("upkeep", poll_ms=20)
    db.execute("UPDATE import SET lease_until = now() WHERE project_id = %s", (desk.project,))  # the minute is over
    until(lambda: row(desk)["state"] != "running", 20, "nobody closes it")
    closed = row(desk)
    assert closed["state"] == "interrupted" and closed["ended_at"] and "sent again" in closed["error"]
    assert (closed["created"], closed["created"]) == stored(db, desk)
    again = send(desk, data, errors)
    assert again.status_code == 201, again.text
    assert (again.json()["skipped"], again.json()["created"]) == (closed["created"], good - closed["created"])
    assert stored(db, desk) == (good, good) and row(desk)["state"] == "done"


def test_an_import_that_lives_is_left_alone(db, api, start_worker):
    """However slow its client is: only the server's word counts. One that was taken for dead goes on with its next chunk."""
    desk = Desk(api, tasks=0)
    start_worker("upkeep", poll_ms=20)
    seen = []

    def not_heard_of():
        db.execute("UPDATE import SET lease_until = now() - interval '1 s' WHERE project_id = %s", (desk.project,))
        return row(desk)["state"]

    def slow():
        for n in range(3):
            for i in range(2000):
                yield json.dumps({"data": {"image": f"/{n}.{i}"}, "external_id": f"{n}.{i}"}).encode() + b"\n"
            if n == 1:
                until(lambda: row(desk)["created"], 20)
                until(lambda: not_heard_of() == "interrupted", 20)
            seen.append(row(desk)["state"])

    answer = send(desk, slow(), "stop")
    assert answer.status_code == 201 and answer.json()["created"] == 6000, answer.text
    assert "interrupted" in seen
    ended = row(desk)
    assert (ended["state"], ended["created"], ended["error"]) == ("done", 6000, None) and ended["ended_at"]
