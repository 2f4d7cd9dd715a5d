"""The hard cases of a walk through the queue, made by hand in the database: much at the head that is not for somebody, and work that
comes behind their cursor. The server and its settings are test_queue's: 3 rows a step, no second lap to help."""
import time

import pytest

from kit import Desk
from test_queue import PLAIN, crew, server  # noqa: F401: a fixture


@pytest.fixture(autouse=True)
def invariants():
    """Not held here: what is made by hand has no history."""


def exclude(db, desk, person, tasks):
    """As if the person had done one slot of each long ago: without a cursor."""
    db.execute("UPDATE assignment SET state = 'submitted', holder = %s, version = 1 WHERE slot = 1 AND task_id = ANY (%s)", (person.user, tasks))


# ---- hard cases ----

def test_a_veteran_of_overlap_two_walks_on_alone(db, server, api):
    desk = Desk(api, tasks=60, workflow={**PLAIN, "overlap": 2})
    one, two = crew(db, server, desk, 2)
    exclude(db, desk, one, desk.tasks[:50])
    for task in desk.tasks[50:]:
        work = one.claim()
        assert work["task"]["id"] == task
        one.submit(work)
    assert one.claim() is None
    assert [two.claim()["task"]["id"] for _ in range(3)] == desk.tasks[:3]


def test_what_lies_before_ones_own_newest_work_is_found(db, server, api):
    """The first walk begins behind it, and is followed by one from the head."""
    desk = Desk(api, tasks=40, workflow={**PLAIN, "overlap": 2})
    one, = crew(db, server, desk, 1)
    exclude(db, desk, one, desk.tasks[:9] + desk.tasks[12:])
    assert [one.claim()["task"]["id"] for _ in range(3)] == desk.tasks[9:12]
    assert one.claim() is None


@pytest.fixture
def passed(db, server, api):
    """A desk whose 30 tasks of overlap 2 one person has done once, and whose cursor is at the end; a colleague; and the tasks."""
    desk = Desk(api, tasks=30, workflow={**PLAIN, "overlap": 2})
    one, two = crew(db, server, desk, 2)
    exclude(db, desk, one, desk.tasks[:29])
    one.submit(one.claim())
    assert one.claim() is None
    return desk, one, two


def test_released_behind_the_cursor(db, passed):
    desk, one, two = passed
    work = [two.claim() for _ in range(5)][3]
    db.execute("UPDATE assignment SET state = 'open', holder = NULL WHERE task_id = %s AND slot = 1", (work["task"]["id"],))
    assert one.claim()["task"]["id"] == work["task"]["id"]  # one's own slot is open again
    two.act(work, "release")
    assert one.claim() is None and two.claim()["task"]["id"] == work["task"]["id"]


def test_letting_go_of_one_slot_opens_the_other(db, api, server):
    desk = Desk(api, tasks=9, workflow={**PLAIN, "overlap": 2})
    one, two = crew(db, server, desk, 2)
    works = [one.claim() for _ in range(9)]
    assert one.claim() is None
    one.act(works[4], "release")
    db.execute("UPDATE assignment SET state = 'leased', holder = %s, version = version + 1, lease_expires_at = now() + interval '1 h' WHERE id = %s",
               (two.user, works[4]["id"]))  # somebody was quicker
    again = one.claim()
    assert again["task"]["id"] == works[4]["task"]["id"] and again["id"] != works[4]["id"]


def test_skilled_later(db, api, server):
    desk = Desk(api, tasks=40)
    one, = crew(db, server, desk, 1)
    db.execute("UPDATE assignment SET skills = '{de}' WHERE project_id = %s AND task_id <> %s", (desk.project, desk.tasks[-1]))
    assert one.claim()["task"]["id"] == desk.tasks[-1] and one.claim() is None
    waiting = one.wait()
    time.sleep(0.3)
    desk("manager").ok("PUT", f"{desk.path}/members/{one.user}", json={"role": "annotator", "skills": ["de"]})
    waiting.join()
    assert waiting.answer.json()["assignments"][0]["task"]["id"] == desk.tasks[0] and waiting.took < 5


@pytest.mark.parametrize("how", ["expired", "unreserved", "prioritized", "imported"])
def test_opened_behind_the_cursor(db, passed, how):
    """While they wait: found by the next look, a second later at most, and by those it is for."""
    desk, one, two = passed
    task, = desk.tasks[4:5]
    made = desk.api.tasks(desk.project, [{"data": {"image": "/new.png"}, "priority": -3}])["first_id"]
    db.execute("UPDATE assignment SET state = 'cancelled' WHERE task_id = %s", (made,))
    if how == "expired":
        db.execute("""UPDATE assignment SET state = 'leased', holder = %s, lease_expires_at = now() - interval '1 s', version = version + 1
            WHERE task_id = %s AND slot = 1""", (two.user, task))
    if how == "unreserved":
        db.execute("UPDATE assignment SET state = 'open', holder = NULL, reserved_for = %s, reserved_until = now() WHERE task_id = %s AND slot = 1",
                   (two.user, task))
        db.execute("UPDATE assignment SET state = 'cancelled' WHERE task_id = %s AND slot = 2", (task,))
    waiting = one.wait()
    time.sleep(0.4)
    if how == "prioritized":  # a task that one has not done, at the very end, locked away until now
        db.execute("UPDATE assignment SET state = 'open', rank = -9 WHERE task_id = %s", (made,))
    if how == "expired":
        db.execute("UPDATE assignment SET state = 'open', lease_expires_at = NULL WHERE task_id = %s AND slot = 1", (task,))
    if how == "unreserved":
        db.execute("UPDATE assignment SET reserved_for = NULL, reserved_until = NULL WHERE task_id = %s AND slot = 1", (task,))
    if how == "imported":
        made = desk.api.tasks(desk.project, [{"data": {"image": "/new.png"}, "priority": 5}])["first_id"]
    waiting.join()
    assert waiting.answer.json()["assignments"][0]["task"]["id"] == (task if how in ("expired", "unreserved") else made)
    assert waiting.took < 5


def test_a_long_walk_lets_others_through(db, server, api):
    """1800 rows of 3 a step: others are served meanwhile, and the walker in the end."""
    desk = Desk(api, tasks=1801, workflow={**PLAIN, "overlap": 2})
    one, two = crew(db, server, desk, 2)
    db.execute("UPDATE assignment SET excluded = ARRAY[%s::bigint] WHERE project_id = %s AND task_id <> %s", (one.user, desk.project, desk.tasks[-1]))
    waiting = one.wait(60)
    took = []
    while waiting.is_alive() and len(took) < 100:
        start = time.monotonic()
        assert two.claim()
        took.append(time.monotonic() - start)
    waiting.join()
    assert waiting.answer.json()["assignments"][0]["task"]["id"] == desk.tasks[-1]
    assert len(took) >= 3 and sorted(took)[len(took) // 2] < 0.5


def test_a_claim_that_does_not_wait_says_when_it_has_not_seen_all(db, server, api):
    desk = Desk(api, tasks=20)
    one, = crew(db, server, desk, 1)
    db.execute("UPDATE assignment SET excluded = ARRAY[%s::bigint] WHERE project_id = %s AND task_id <> %s", (one.user, desk.project, desk.tasks[-1]))
    db.execute("INSERT INTO task (tenant_id, project_id, state, data) SELECT tenant_id, project_id, state, data FROM task, generate_series(1, 30000) WHERE id = %s",
               (desk.tasks[0],))
    db.execute("""INSERT INTO assignment (tenant_id, project_id, task_id, stage, rank, excluded, opened)
        SELECT tenant_id, project_id, id, 'annotate', -1, ARRAY[%s::bigint], NULL FROM task WHERE project_id = %s AND id > %s""",
               (one.user, desk.project, desk.tasks[-1]))
    try:
        first = one.client.ok("POST", f"{desk.path}/claims", json={"stage": "annotate"})
        assert first == {"assignments": [], "unfinished": True}
        db.execute("UPDATE assignment SET state = 'cancelled' WHERE project_id = %s AND rank = -1 AND task_id > %s", (desk.project, desk.tasks[-1] + 300))
        assert one.claim()["task"]["id"] == desk.tasks[-1]
    finally:
        db.execute("DELETE FROM assignment WHERE project_id = %s AND rank = -1", (desk.project,))
        db.execute("DELETE FROM task WHERE project_id = %s AND id > %s", (desk.project, desk.tasks[-1]))
