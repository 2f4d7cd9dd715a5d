"""A short storm, once for all tests of this folder: its report, and the history it left."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import storm  # noqa: E402


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """(report, attempts, state)."""
    directory = tmp_path_factory.mktemp("storm")
    seed = int(os.environ.get("STORM_SEED", "0")) or int.from_bytes(os.urandom(3))
    report = storm.Storm(int(os.environ.get("STORM_OPERATIONS", "8000")), seed, directory).run()
    return report, *storm.history.load(directory)
