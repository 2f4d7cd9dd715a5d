"""The invariants' own test: each rule of kit.RULES notices the damage it is there for."""
import uuid

import pytest

from kit import RULES, Desk, broken_rules, choice, rules_broken_in

DAMAGE = {
    "I2: a task's versions are 1, 2, 3": "UPDATE event SET task_version = task_version + 1 WHERE action = 'submit'",
    "I2: a task's version is the number": "UPDATE task SET version = version + 1",
    "I2: each move starts where": "UPDATE event SET from_state = 'annotate', to_state = 'annotate', action = 'submit' WHERE action = 'accept'",
    "I2: a task is where its last move": "UPDATE task SET state = 'skipped' WHERE state = 'done'",
    "I3: a version of an assignment is handed out once":
        "INSERT INTO event (tenant_id, project_id, task_id, assignment_id, assignment_version, actor, action, from_state, to_state) "
        "SELECT tenant_id, project_id, task_id, assignment_id, assignment_version, 1, action, from_state, to_state FROM event WHERE action = 'claim'",
    "I3: a claim begins when": "DELETE FROM event WHERE action = 'release'",
    "I3: who holds an assignment": "UPDATE assignment SET version = version + 5 WHERE state = 'submitted'",
    "I3: nobody holds two slots":
        "DROP INDEX assignment_person; UPDATE assignment SET holder = 1 WHERE stage = 'annotate' AND state = 'submitted'",
    "I3: nobody submits two slots": "UPDATE label_version SET author = 1 WHERE kind = 'submission'",
    "I3: nobody judges their own": "UPDATE review r SET reviewer = l.author FROM label_version l WHERE l.id = r.label_id AND l.author IS NOT NULL",
    "I3: QA is not done by": "UPDATE review SET reviewer = 1",
    "label versions are numbered": "UPDATE task SET label_seq = label_seq + 1",
    "a label's parent is": "UPDATE label_version SET parent = id WHERE kind = 'review_fix'",
    "a label has a task, an assignment of it, a pack": "DELETE FROM pack",
    "a label without an assignment": "UPDATE label_version SET assignment_id = NULL",
    "a label belongs to a person": "UPDATE label_version SET author = NULL",
    "a label has its event": "UPDATE event SET label_id = NULL",
    "the head label is one": "UPDATE task SET head_label = 999999 WHERE head_label IS NOT NULL",
    "what is done has a label": "UPDATE task SET head_label = NULL",
    "an assignment has a task": "UPDATE assignment SET task_id = task_id + 999999",
    "only work of the task's stage": "UPDATE assignment SET state = 'open' WHERE stage = 'review'",
    "a task in work has work": "UPDATE assignment SET state = 'cancelled', lease_expires_at = NULL",
    "a draft, a comment, a verdict": "UPDATE comment SET task_id = 999999",
    "QA's figures are": "DELETE FROM qa_check",
    "the counters are what": "INSERT INTO counter (tenant_id, project_id, delta, name) SELECT 1, id, 1, 'task.done' FROM project",
}


@pytest.fixture(scope="module")
def worked(api, db, server):
    """Some of everything: overlap that disagrees, a fix, a comment, QA, a release, open work."""
    desk = Desk(api, tasks=3, workflow={"overlap": 2, "qa": {"percent": 100}})
    desk.done("annotator", desk.claim("annotator"), "release")
    for role, value in (("annotator", "cat"), ("annotator2", "dog")):
        for work in desk.claims(role, count=2):
            desk.submit(role, work, value)
    one, two = desk.claims("reviewer", "review", count=2)
    desk.verdict("reviewer", one, "fix", result=choice("dog"), comments=[{"text": "so"}])
    desk.verdict("reviewer", two, "accept")
    desk.verdict("qa", desk.claim("qa", "qa"), "accept")
    assert broken_rules(db, server.directory / "blobs") == []
    return desk


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_notices(cluster, database, worked, rule):
    damage = next(sql for start, sql in DAMAGE.items() if rule.startswith(start))
    with cluster.connect(database) as c, c.transaction(force_rollback=True):
        c.execute("SET session_replication_role = replica")
        c.execute(damage)
        assert [line for line in rules_broken_in(c) if line.startswith(rule)], rules_broken_in(c)


def test_damage_to_a_document_is_noticed(db, server, worked):
    blobs = server.directory / "blobs"
    pack = next(f for f in (blobs / "packs").rglob("*") if f.is_file())
    good = pack.read_bytes()
    pack.chmod(0o600)
    try:
        pack.write_bytes(good.replace(b"c1", b"c2"))
        assert "does not match its hash" in broken_rules(db, blobs)[0]
        label = next(i for i, in db.execute("SELECT id FROM label_version WHERE pack::text = %s", (str(uuid.UUID(pack.name)),)))
        answer = worked("viewer").get(f"/v1/labels/{label}")
        assert answer.status_code == 500 and answer.json()["type"] == "/errors/corrupt"  # never shown as if it were the label
    finally:
        pack.write_bytes(good)
