"""What the tests over HTTP stand on: a cluster, migrated databases with two tenants and their users, and servers.

PGHOST        socket directory of a cluster where `postgres` may connect; without it one is made and thrown away
ANNOTATE_BIN  directory of the programs (default: build/asan/bin)

`python3 tests/support/stand.py COMMAND...` runs a command beside a fresh server and its workers: ANNOTATE_URL and ANNOTATE_ADMIN
(email:password) tell it where.
"""
import atexit
import itertools
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ANNOTATE_BIN", ROOT / "build/asan/bin"))

TENANTS = ("a", "b")
# One user a role of the project, and "outsider", who is in no project. "admin" administers the tenant.
ROLES = ("admin", "manager", "annotator", "annotator2", "reviewer", "qa", "viewer", "model", "outsider")
PROJECT_ROLE = {"annotator2": "annotator"}
PASSWORD = "correct horse battery"

# Printed by the sanitizers and by BUG_ON.
CRASH = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|^BUG ", re.M)

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def email(role, tenant="a"):
    return f"{role}@{tenant}.example"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """One for the whole run. The template holds the schema and the users, so a database costs a copy of files."""

    numbers = itertools.count(1)

    def __init__(self):
        self.host = os.environ.get("PGHOST")
        self.run = f"{os.getpid():x}{secrets.token_hex(3)}"
        if not self.host:
            self.host = tempfile.mkdtemp(prefix="annotate-pg-")
            os.chmod(self.host, 0o755)
            pg = ROOT / "tests/support/pg.sh"
            subprocess.run([pg, "start", self.host], check=True)
            atexit.register(shutil.rmtree, self.host, True)
            atexit.register(subprocess.run, [pg, "stop", self.host])
        self.template = f"template_{self.run}"
        self.create(self.template, "template0")
        with self.connect("postgres") as c:  # roles are the cluster's: several runs at once make them one after another
            c.execute("SELECT pg_advisory_lock(1)")
            self.script(self.template, (ROOT / "deploy/roles.sql").read_text())
        self.cli(self.template, "migrate")
        with tempfile.TemporaryDirectory() as directory:
            self.people(pathlib.Path(directory))

    def connect(self, database, user="postgres"):
        return psycopg.connect(host=self.host, dbname=database, user=user, autocommit=True)

    def script(self, database, sql):
        with self.connect(database) as c:
            c.execute(sql)

    def create(self, database, template):
        self.script("postgres", f"CREATE DATABASE {database} TEMPLATE {template} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")

    def database(self):
        name = f"test_{self.run}_{next(self.numbers)}"
        self.create(name, self.template)
        return name

    def drop(self, name):
        self.script("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def conninfo(self, database, user):
        return f"host={self.host} dbname={database} user={user}"

    def cli(self, database, *words, ok=True):
        """`annotate WORDS...`; its standard output."""
        done = subprocess.run([BIN / "annotate", "--db-owner", self.conninfo(database, "annotate_owner"), *words],
                              env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
        assert not CRASH.search(done.stderr), done.stderr
        assert done.returncode == 0 or not ok, f"annotate {words}: {done.stderr}"
        return done.stdout

    def people(self, directory):
        password = directory / "password"
        password.touch(0o600)
        password.write_text(PASSWORD)
        for tenant in TENANTS:
            self.cli(self.template, "tenant", "create", tenant)
            for role in ROLES:
                self.cli(self.template, "user", "create", "--tenant", tenant, "--email", email(role, tenant), "--name",
                         role.capitalize(), "--password-file", password, *(["--admin"] if role == "admin" else []))


class Program:
    """One of our programs as a process, with a directory of its own for its log and what it needs."""

    def __init__(self, name, settings):
        self.name, self.settings = name, settings
        self.log = self.directory / "log"
        self.proc = None
        self.start()

    def start(self):
        """Also after kill(): the same again."""
        words = [w for name, value in self.settings.items() for w in (f"--{name.replace('_', '-')}", str(value))]
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen([BIN / self.name, *words], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                                         stdout=log, stderr=log)

    def text(self):
        return self.log.read_text(errors="replace")

    def crash(self):
        """What a sanitizer or BUG_ON had to say, or ""."""
        text = self.text()
        found = CRASH.search(text)
        return text[max(0, found.start() - 200):found.start() + 4000] if found else ""

    def kill(self):
        self.proc.send_signal(signal.SIGKILL)
        self.proc.wait()

    def stop(self):
        """SIGTERM, as an operator does; a leak found at the exit is a failure, too. A killed one may stay dead."""
        code = self.proc.poll()
        if code is None:
            self.proc.terminate()
            try:
                code = self.proc.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                code = "no end within 30 s"
        crash, text = self.crash(), self.text()
        shutil.rmtree(self.directory, True)
        assert not crash, crash
        assert code in (0, -signal.SIGKILL), f"{self.name} ended with {code}:\n{text[-2000:]}"


class Server(Program):
    """annotate-server on a free port over one database, with blobs and a token key of its own."""

    def __init__(self, cluster, database, **settings):
        self.cluster, self.database = cluster, database
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="annotate-server-"))
        key = self.directory / "token.key"
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(32))
        self.blobs = f"fs:{self.directory}/blobs"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__("annotate-server", {
            "listen": f"127.0.0.1:{self.port}",
            "db": cluster.conninfo(database, "annotate_api"),
            "blobs": self.blobs,
            "token_key_file": key,
            "web_root": ROOT / "web-static/dist",
            "threads": 2,
        } | settings)

    def start(self, seconds=30):
        super().start()
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.proc.poll() is None:
            try:
                if requests.get(self.url + "/readyz", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.text()}")


class Worker(Program):
    """annotate-export or annotate-upkeep beside a server, over its database and blobs."""

    def __init__(self, name, server, **settings):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="annotate-worker-"))
        super().__init__(f"annotate-{name}", {
            "db_worker": server.cluster.conninfo(server.database, "annotate_worker"),
            "blobs": server.blobs,
        } | settings)


class Client(requests.Session):
    """A person's session: paths instead of addresses, JSON in, the token of a login with it."""

    def __init__(self, url, role=None, tenant="a"):
        super().__init__()
        self.url, self.role, self.tenant = url, role, tenant
        self.trust_env = False
        if role:
            self.user = self.login(email(role, tenant), PASSWORD)["user"]

    def login(self, address, password):
        answer = self.post("/v1/login", json={"email": address, "password": password})
        assert answer.status_code == 200, answer.text
        self.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return answer.json()

    def request(self, method, path, version=None, headers=None, **rest):
        """version: the If-Match of the request."""
        headers = dict(headers or {})
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        rest.setdefault("timeout", 30)
        return super().request(method, self.url + path if path.startswith("/") else path, headers=headers, **rest)

    def ok(self, method, path, status=200, **rest):
        """The JSON of an answer that must have this status."""
        answer = self.request(method, path, **rest)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


CHOICES = '<View><Image name="image" value="$image"/><Choices name="kind" toName="image"><Choice value="cat"/><Choice value="dog"/></Choices></View>'


class Office:
    """Clients by role, one login each, on one server: office("annotator"), office("admin", "b")."""

    def __init__(self, server):
        self.server, self.clients = server, {}

    def __call__(self, role=None, tenant="a"):
        if role is None:
            return Client(self.server.url)
        if (role, tenant) not in self.clients:
            self.clients[role, tenant] = Client(self.server.url, role, tenant)
        return self.clients[role, tenant]

    def project(self, name="Animals", label_config=CHOICES, workflow=None, tenant="a"):
        """A project that everyone but the outsider is a member of; its id."""
        admin = self("admin", tenant)
        body = {"name": name, "label_config": label_config} | ({"workflow": workflow} if workflow else {})
        project = admin.ok("POST", "/v1/projects", 201, json=body)["id"]
        for role in ROLES:
            if role not in ("admin", "outsider"):
                user = self(role, tenant).user["id"]
                admin.ok("PUT", f"/v1/projects/{project}/members/{user}", json={"role": PROJECT_ROLE.get(role, role)})
        return project

    def tasks(self, project, items, tenant="a"):
        """Imports data objects or tasks; the answer."""
        return self("manager", tenant).ok("POST", f"/v1/projects/{project}/tasks", 201, json=items)


def main(command):
    cluster = Cluster()
    server = Server(cluster, cluster.database())
    workers = [Worker(name, server) for name in ("export", "upkeep")]
    try:
        beside = {"ANNOTATE_URL": server.url, "ANNOTATE_ADMIN": f"{email('admin')}:{PASSWORD}"}
        code = subprocess.run(command, env=os.environ | beside, check=False).returncode
    finally:
        for program in (*workers, server):
            program.stop()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
