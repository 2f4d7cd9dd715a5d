"""The walks and look-ups of search and statistics: each a short walk along an index, whatever the project holds (docs/design.md §6),
as the server's role plans them under row-level security."""
import pytest

from stand import ROOT
from test_queries import cost, text

TASKS = 20000
ALL = "'{{prelabel,annotate,review,qa,done,skipped,archived}}'"
LAST = TASKS - 50  # far behind the first


@pytest.fixture(scope="module")
def searched(cluster):
    """A project of 20,000 tasks that person 3 annotated, half of them labelled cat, with every third one's score."""
    name = cluster.database()
    with cluster.connect(name) as owner:
        project, = owner.execute("""INSERT INTO project (tenant_id, name, workflow, salt, created_by) VALUES (1, 'p', '{}', 7, 1)
            RETURNING id""").fetchone()
        owner.execute(f"""
            INSERT INTO task (tenant_id, project_id, state, external_id, data)
                SELECT 1, {project}, CASE i % 3 WHEN 0 THEN 'done' ELSE 'review' END, 'x' || lpad(i::text, 8, '0'), '{{"image":"x"}}'
                FROM generate_series(1, {TASKS}) i;
            INSERT INTO assignment (tenant_id, project_id, task_id, stage, state, holder)
                SELECT 1, {project}, id, 'annotate', 'submitted', 3 FROM task ORDER BY id;
            INSERT INTO task_field (tenant_id, project_id, task_id, field, text)
                SELECT 1, {project}, id, 'label', CASE id % 2 WHEN 0 THEN 'cat' ELSE 'dog' END FROM task;
            INSERT INTO task_field (tenant_id, project_id, task_id, field, number) SELECT 1, {project}, id, 'score', id / 1e6 FROM task;
            INSERT INTO task_since (tenant_id, task_id, project_id, version, since, state)
                SELECT 1, id, {project}, 2, now() - make_interval(secs => id), state FROM task;
            INSERT INTO stat SELECT 1, {project}, u, date '2026-01-01' + d, 'annotate', 'submit', 9, 1, 1
                FROM generate_series(0, 20) u, generate_series(0, 300) d;""")
        owner.execute("VACUUM ANALYZE")
        with cluster.connect(name, "annotate_api") as c:
            c.execute("SELECT set_config('app.tenant', '1', false)")
            for statement in ("search_by_state", "search_by_external", "search_by_holder", "search_by_annotator", "search_by_text",
                              "search_by_number", "search_facts", "search_data", "stat_queues", "stat_days", "stat_people"):
                c.execute(f"PREPARE {statement} AS {text(statement)}")
            yield c, project
    cluster.drop(name)


WALKS = {
    "by state": "search_by_state({p}, " + ALL + ", {at}, 50, false)",
    "by state, newest first": "search_by_state({p}, " + ALL + ", {at}, 50, true)",
    "by external_id": "search_by_external({p}, 'x', 'y', 'x' || lpad('{at}', 8, '0'), 50)",
    "by annotator": "search_by_annotator({p}, 3, {at}, 50, false)",
    "by annotator, newest first": "search_by_annotator({p}, 3, {at}, 50, true)",
    "by label": "search_by_text({p}, 'label', 'cat', 'cat', 'cat', {at}, 50, false)",
    "by label, newest first": "search_by_text({p}, 'label', 'cat', 'cat', 'cat', {at}, 50, true)",
    "by score": "search_by_number({p}, 'score', '-Infinity', 'Infinity', {at} / 1e6, {at}, 50, false)",
}


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("at", [100, TASKS // 2, LAST])
def test_a_walk_costs_what_it_gives(searched, name, at):
    """From anywhere: 50 rows are not more than a few hundred pages, and never a walk over what lies before."""
    c, project = searched
    n, rows = cost(c, WALKS[name].format(p=project, at=at))
    assert rows >= 20 and n < 300, (n, rows)


def test_nobody_holds_anything(searched):
    c, project = searched
    n, rows = cost(c, f"search_by_holder({project}, '{{3,4}}', 0, 50, false)")
    assert rows == 0 and n < 60


def test_facts_cost_so_much_a_task(searched):
    c, project = searched
    ids = "{" + ",".join(str(i) for i in range(1000, 1100)) + "}"
    n, rows = cost(c, f"search_facts({project}, '{ids}', true, true, true, '{{score,data.a}}', true)")
    assert rows == 100 and n / 100 < 60
    n, rows = cost(c, f"search_data('{ids}')")
    assert rows == 100 and n / 100 < 10


def test_statistics_read_their_rows_alone(searched):
    c, project = searched
    assert cost(c, f"stat_queues({project})")[0] < 60
    n, rows = cost(c, f"stat_days({project}, 3, '2026-03-01', '2026-03-30')")
    assert rows == 30 and n < 100
    assert cost(c, f"stat_people({project}, 0, 100, NULL)")[0] < 600


def test_a_prefix_is_a_range_of_bytes_in_every_locale(cluster):
    """In a database that sorts as people do (where "B" lies between "a" and "b"): from the same index, in the order of bytes."""
    name = cluster.database()
    cluster.drop(name)
    cluster.script("postgres", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'")
    cluster.script(name, (ROOT / "deploy/roles.sql").read_text())
    cluster.cli(name, "migrate")
    known = ["a", "A", "aB", "ab", "a-b", "ä", "aé", "b", "B", "a\U0010ffff"]
    with cluster.connect(name) as owner:
        assert owner.execute("SELECT 'B' > 'a' AND 'B' < 'c'").fetchone()[0]  # this is no C
        owner.execute("INSERT INTO tenant (name) VALUES ('t')")
        owner.execute("INSERT INTO task (tenant_id, project_id, state, external_id, data) SELECT 1, 1, 'annotate', unnest(%s::text[]), '{}'", (known,))
        owner.execute("INSERT INTO task (tenant_id, project_id, state, external_id, data) SELECT 1, 1, 'annotate', 'x' || i, '{}' FROM generate_series(1, 5000) i")
        owner.execute("VACUUM ANALYZE")
    with cluster.connect(name, "annotate_api") as c:
        c.execute("SELECT set_config('app.tenant', '1', false)")
        c.execute(f"PREPARE search_by_external AS {text('search_by_external')}")
        found = [row[1] for row in c.execute("EXECUTE search_by_external(1, 'a', 'a\U0010ffff\U0010ffff', '', 100)")]
        assert found == sorted((k for k in known if k.startswith("a")), key=str.encode)
        n, rows = cost(c, "search_by_external(1, 'x4', 'x4\U0010ffff', 'x45', 50)")
        assert rows == 50 and n < 300
    cluster.drop(name)
