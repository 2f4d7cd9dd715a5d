"""Around every test of the API: the answers keep the contract of /openapi.json, and the database keeps the invariants."""
import os

import pytest
from kit import Contract, broken_rules

from stand import Client

# It takes minutes and is not clean yet (docs of ./check: SCHEMATHESIS_EXAMPLES): asked for by name, not part of every run.
collect_ignore = [] if os.environ.get("SCHEMATHESIS_EXAMPLES") else ["test_schemathesis.py"]


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
