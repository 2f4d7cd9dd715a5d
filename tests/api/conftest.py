"""Around every test of the API: the answers keep the contract of /openapi.json, and the database keeps the invariants."""
import pytest
from kit import Contract, broken_rules

from stand import Client


@pytest.fixture(scope="session", autouse=True)
def contract():
    """Every answer that a stand.Client gets is held against the server's own document."""
    stop = Contract.watch(Client)
    yield
    stop()


@pytest.fixture(autouse=True)
def invariants(request):
    """After each test with a server: docs/design.md §3, in SQL, and every label document against its hash."""
    if "server" not in request.fixturenames:
        yield
        return
    db, server = request.getfixturevalue("db"), request.getfixturevalue("server")
    yield
    broken = broken_rules(db, server.directory / "blobs")
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)
