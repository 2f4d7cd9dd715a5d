"""Fixtures: `db`, `server`, `api`. A database and a server a test module; tests in it share both, so each makes a project
of its own. See tests/support/stand.py for what they are."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from stand import Cluster, Office, Server, Worker  # noqa: E402


@pytest.fixture(scope="session")
def cluster():
    return Cluster()


@pytest.fixture(scope="module")
def database(cluster):
    """The name of a fresh database with the tenants "a" and "b" and their users."""
    name = cluster.database()
    yield name
    cluster.drop(name)


@pytest.fixture(scope="module")
def db(cluster, database):
    """A connection to it as superuser (autocommit): row-level security hides nothing from it."""
    with cluster.connect(database) as c:
        yield c


@pytest.fixture(scope="module")
def server(cluster, database):
    """A running annotate-server: .url, .proc, .kill(), .start(), .text() of its log."""
    s = Server(cluster, database)
    yield s
    s.stop()


@pytest.fixture(scope="module")
def start_server(cluster, database):
    """start_server(drain_ms=100, …): one more server over the module's database, with other settings."""
    started = []

    def start(**settings):
        started.append(Server(cluster, database, **settings))
        return started[-1]

    yield start
    for s in started:
        s.stop()


@pytest.fixture(scope="module")
def start_worker(server):
    """start_worker("upkeep", poll_ms=20): annotate-upkeep or annotate-export beside the module's server."""
    started = []

    def start(name, **settings):
        started.append(Worker(name, server, **settings))
        return started[-1]

    yield start
    for w in started:
        w.stop()


@pytest.fixture(scope="module")
def api(server):
    """api("annotator"), api("admin", "b"), api() for nobody; api.project(…) and api.tasks(…)."""
    return Office(server)


@pytest.fixture(autouse=True)
def no_crash(request):
    """A test in which a sanitizer spoke has failed, whatever the answers were."""
    yield
    if "server" in request.fixturenames:
        crash = request.getfixturevalue("server").crash()
        if crash:
            pytest.fail(crash, pytrace=False)
