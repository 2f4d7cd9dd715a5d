"""The statements of schema/queries: each prepares under the role that runs it and may do what it says, and the hot ones walk
along indexes at a cost that does not grow with what is done already (docs/design.md §6)."""
import json
import re

import pytest

from stand import ROOT

QUERIES = sorted((ROOT / "schema/queries").glob("*.sql"))
ROLE_OF = {"server": "annotate_api", "cli": "annotate_owner", "stream": "annotate_worker", "upkeep": "annotate_worker",
           "export": "annotate_worker"}


def text(name):
    return (ROOT / f"schema/queries/{name}.sql").read_text()


def roles(sql):
    return {ROLE_OF[user] for user in re.search(r"^-- users: (.+)$", sql, re.M).group(1).split()}


def parameters(sql):
    return max(map(int, re.findall(r"\$(\d+)", sql)), default=0)


@pytest.mark.parametrize("path", QUERIES, ids=lambda p: p.stem)
def test_prepares_and_is_allowed(cluster, database, path):
    sql = path.read_text()
    body = "\n".join(line for line in sql.splitlines() if not line.startswith("--")).strip()
    assert sql.startswith("-- ")
    for role in roles(sql):
        with cluster.connect(database, role) as c:
            c.execute("SELECT set_config('app.tenant', '1', false)")
            if not re.match(r"(?i)DECLARE|FETCH|CLOSE|DISCARD", body):
                c.execute(f"PREPARE q AS {sql}")
                nothing = ",".join(["NULL"] * parameters(body))
                c.execute(f"EXPLAIN EXECUTE q{f'({nothing})' if nothing else ''}")  # checks the rights, too
            elif body.upper().startswith("DECLARE"):
                with c.transaction():
                    c.execute(re.sub(r"\$\d+", "NULL", sql))
                    cursor = re.search(r"(?i)DECLARE (\w+)", body).group(1)
                    c.execute(f"FETCH 1 FROM {cursor}")
            else:
                result = c.pgconn.prepare(b"q", body.encode())
                assert result.status == 1, result.error_message


def test_there_is_no_statement_for_nobody():
    users = {user for path in QUERIES for user in re.search(r"^-- users: (.+)$", path.read_text(), re.M).group(1).split()}
    assert len(QUERIES) > 50 and users <= set(ROLE_OF)


# ---- the hot ones on 20,000 tasks ----

TASKS = 20000
PERSON, OTHER, EXCLUDED = 3, 4, 5


@pytest.fixture(scope="module")
def queue(cluster):
    """A database with a project of 20,000 open tasks of overlap 2: connections of the server's role, and of the superuser."""
    name = cluster.database()
    with cluster.connect(name) as owner:
        project, = owner.execute("""INSERT INTO project (tenant_id, name, workflow, salt, created_by) VALUES (1, 'p', '{}', 7, 1)
            RETURNING id""").fetchone()
        owner.execute(f"""
            INSERT INTO task (tenant_id, project_id, state, overlap, data)
                SELECT 1, {project}, 'annotate', 2, '{{"image":"x"}}' FROM generate_series(1, {TASKS});
            INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot)
                SELECT 1, {project}, t.id, 'annotate', s FROM task t CROSS JOIN generate_series(1, 2) s ORDER BY t.id, s;
            INSERT INTO event (tenant_id, project_id, task_id, task_version, action, from_state, to_state)
                SELECT 1, {project}, id, 1, 'import', 'none', 'annotate' FROM task ORDER BY id;""")
        owner.execute("VACUUM ANALYZE")
        with cluster.connect(name, "annotate_api") as c:
            c.execute("SELECT set_config('app.tenant', '1', false)")
            for statement in ("claim_take", "claim_search", "transition_read", "heartbeat_extend"):
                c.execute(f"PREPARE {statement} AS {text(statement)}")
            yield c, owner, project
    cluster.drop(name)


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def cost(c, call, keep=False):
    """Buffers that an EXECUTE touches, and how many rows it gives; no node of it may scan a table."""
    with c.transaction(force_rollback=not keep):
        plan = c.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {call}").fetchone()[0]
    plan = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    scans = [f"{n['Node Type']} of {n.get('Relation Name')}" for n in nodes(plan) if n["Node Type"] == "Seq Scan"]
    assert scans == []
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], plan["Actual Rows"]


BEGINNING = "-2147483648, 0"  # of the queue: nothing is known of its head


def calls(owner, project, person):
    """The statements as the server sends them for one request."""
    assignment, version = owner.execute("""SELECT id, version FROM assignment WHERE holder IS NULL AND state = 'open'
        ORDER BY id DESC LIMIT 1""").fetchone()
    return {"claim_take": f"claim_take({project}, 'annotate', '{{1}}', '{{1}}', '{{{person}}}', '{{600}}', '{{f}}', 0, NULL, {BEGINNING}, "
                          "'{annotator}', '{f}')",
            "claim_search": f"claim_search({project}, 'annotate', {person}, 1, 600, 1000, 300, 0)",
            "transition_read": f"transition_read('{{0}}', '{{{assignment}}}', '{{{version}}}', '{{{person}}}', {project}, '{{NULL}}')",
            "heartbeat_extend": f"heartbeat_extend('{{{assignment}}}', '{{{version}}}', '{{{person}}}', '{{600}}')"}


LIMIT = {"claim_take": 300, "claim_search": 300, "transition_read": 60, "heartbeat_extend": 30}


def test_a_plan_of_an_empty_table_walks_no_labels_later(queue):
    c, _, project = queue
    c.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
    try:
        call = f"transition_read('{{0}}', '{{1}}', '{{0}}', '{{3}}', {project}, '{{NULL}}')"
        plan = c.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {call}").fetchone()[0]
    finally:
        c.execute("RESET plan_cache_mode; RESET enable_seqscan")
    plan = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    met = [n for n in nodes(plan) if n.get("Relation Name") == "label_version"]
    assert len(met) == 2 and all(re.search(r"\bid\b", n["Index Cond"].replace("tenant_id", "")) for n in met)


def test_cost_stays_flat(queue):
    c, owner, project = queue
    fresh = {name: cost(c, call)[0] for name, call in calls(owner, project, PERSON).items()}
    assert {name: n for name, n in fresh.items() if n > LIMIT[name]} == {}
    with owner.transaction():
        owner.execute("""UPDATE assignment SET state = 'submitted', holder = CASE slot WHEN 1 THEN 5 ELSE 6 END
            WHERE task_id IN (SELECT id FROM task ORDER BY id LIMIT 10000)""")
        owner.execute("UPDATE task SET state = 'done', version = 3 WHERE id IN (SELECT id FROM task ORDER BY id LIMIT 10000)")
    owner.execute("VACUUM assignment, task")
    used = {name: cost(c, call)[0] for name, call in calls(owner, project, PERSON).items()}
    assert {name: (fresh[name], n) for name, n in used.items() if n > 2 * fresh[name] + 50} == {}


def test_a_person_who_has_done_all_that_comes_first(queue):
    """Measured trap: 16 ms a claim at 20,000 rows that are skipped. The cursor makes it flat from the second search on."""
    c, owner, project = queue
    owner.execute(f"""UPDATE assignment SET state = 'submitted', holder = {OTHER}, version = version + 1
        WHERE slot = 1 AND state = 'open' AND task_id IN (SELECT task_id FROM assignment WHERE state = 'open' AND slot = 1 ORDER BY id LIMIT 5000)""")
    owner.execute("VACUUM assignment")
    take, search = calls(owner, project, OTHER)["claim_take"], calls(owner, project, OTHER)["claim_search"]
    assert cost(c, take)[0] < 300  # it does not look further than the head, and says so
    blocked = c.execute(f"EXECUTE {take}").fetchall()
    assert [row[1] for row in blocked] == [None] and blocked[0][14] > 0
    first, rows = cost(c, search, keep=True)  # it begins after their own newest work
    assert rows == 1 and first < 300
    assert c.execute(f"EXECUTE {search}").fetchone()[1]


def test_a_walk_goes_in_bounded_steps(queue):
    c, owner, project = queue
    owner.execute(f"UPDATE assignment SET excluded = '{{{EXCLUDED}}}' WHERE state = 'open' AND id IN "
                  "(SELECT id FROM assignment WHERE state = 'open' ORDER BY rank, id LIMIT 5000)")
    owner.execute("VACUUM assignment")
    search = calls(owner, project, EXCLUDED)["claim_search"]
    steps = [c.execute(f"EXECUTE {search}").fetchone() for _ in range(5)]
    assert [row[1] for row in steps] == [None] * 5 and all(row[14] for row in steps)
    n, rows = cost(c, search, keep=True)
    assert rows == 1 and n < 300 and c.execute(f"EXECUTE {search}").fetchone()[1]


def test_a_batch_of_256_claims(queue):
    c, _, project = queue
    people, ones = ",".join(str(1000 + n) for n in range(256)), ",".join(["1"] * 256)
    n, rows = cost(c, f"claim_take({project}, 'annotate', '{{{','.join(map(str, range(1, 257)))}}}', '{{{ones}}}', '{{{people}}}', "
                      f"'{{{','.join(['600'] * 256)}}}', '{{{','.join(['f'] * 256)}}}', 0, NULL, {BEGINNING}, '{{annotator}}', '{{{','.join(['f'] * 256)}}}')")
    assert rows == 256 and n / 256 < 60
