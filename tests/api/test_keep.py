"""What ./run starts is started again when it dies, stays down when it is stopped, and is left alone when it ends by itself."""
import getpass
import os
import signal
import subprocess
import time

import pytest
import requests

import stand
from kit import until

PRELUDE = f"""set -euo pipefail
root={stand.ROOT}
. "$root/deploy/run/base.sh"
. "$root/deploy/run/services.sh"
user=$(id -un)
var=$ANNOTATE_VAR
"""


@pytest.fixture
def house(tmp_path):
    """A directory as ./run has it, and house(words of its shell functions)."""
    for name in ("run", "log"):
        (tmp_path / name).mkdir()

    def shell(text):
        env = {"PATH": os.environ["PATH"], "ANNOTATE_VAR": str(tmp_path), "USER": getpass.getuser()}
        return subprocess.run(["bash", "-c", PRELUDE + text], env=env, capture_output=True, text=True, timeout=60, check=False)

    shell.var = tmp_path
    yield shell
    for pid in tmp_path.glob("run/*"):
        try:
            os.kill(int(pid.read_text()), signal.SIGKILL)
        except (ProcessLookupError, ValueError):
            pass


def pid_of(house, name):
    try:
        return int((house.var / f"run/{name}.pid").read_text())
    except (FileNotFoundError, ValueError):
        return 0


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_server_answers_again(request, house, cluster, database):
    server = stand.Server(cluster, database)  # for its settings: the very same one is run by the keeper
    request.addfinalizer(server.stop)
    server.proc.terminate()
    server.proc.wait(20)
    words = " ".join(f"--{name.replace('_', '-')} '{value}'" for name, value in server.settings.items())
    program = stand.BIN / "annotate-server"

    def ready():
        try:
            return requests.get(server.url + "/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    done = house(f"process_spawn server {program} {program} {words}")
    assert done.returncode == 0, done.stderr
    until(ready, 30, "it did not start")
    seen = set()
    for _ in range(2):
        seen.add(first := pid_of(house, "server"))
        os.kill(first, signal.SIGKILL)
        until(lambda: pid_of(house, "server") not in seen and ready(), 30, "nobody started it again")
    log = (house.var / "log/server.log").read_text()
    assert log.count("run: server ended with status 137; starting it again in") == 2 and "in 1 s" in log and "in 2 s" in log
    last = pid_of(house, "server")
    assert house(f"process_stop server {program} 20").returncode == 0
    time.sleep(3)
    assert not alive(last) and not ready() and sorted((house.var / "run").iterdir()) == []


@pytest.mark.parametrize("status, again", [(0, False), (1, True), (2, False), (3, False)])
def test_who_ends_by_themselves(house, status, again):
    """0: was told to; 2: wrong settings; 3: going on would do harm. Only a failure is tried again."""
    house(f"process_spawn thing thing sh -c 'echo here; exit {status}' thing")
    log = house.var / "log/thing.log"
    if again:
        until(lambda: log.read_text().count("here") >= 2, 20)
    else:
        until(lambda: not (house.var / "run/thing.keeper").exists(), 20, "the keeper stays")
        assert log.read_text() == "here\n"
    assert house("process_stop thing thing 5").returncode == 0
    time.sleep(2.5)
    before = log.read_text()
    time.sleep(1)
    assert log.read_text() == before


def test_what_was_killed_while_it_paused_stays_down(house):
    """A stop that comes in the keeper's pause ends it there and then."""
    house("process_spawn thing thing sh -c 'echo here; exit 1' thing")
    until(lambda: "starting it again in 4 s" in (house.var / "log/thing.log").read_text(), 20)
    assert house("process_stop thing thing 5").returncode == 0
    until(lambda: not (house.var / "run/thing.keeper").exists(), 2, "it waits for the pause to end")
