"""What ./run made: where the server is, who may log in, and how to kill the server and start it again."""
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request


class Installation:
    def __init__(self, var):
        self.var = pathlib.Path(var).resolve()
        lines = (self.var / "annotate.conf").read_text().splitlines()
        self.settings = dict(map(str.strip, line.split("=", 1)) for line in lines if "=" in line and line[0] != "#")
        self.server = self.settings["server"]
        self.sink = self.settings.get("sink", f"file:{self.var}/stream")
        self.topic_prefix = self.settings.get("topic_prefix", "annotate")
        self.cli = self.var / "program/bin/annotate"
        rows = (line.split("\t") for line in (self.var / "secrets/logins").read_text().splitlines())
        self.logins = {role: (email, password) for role, email, password in rows}
        self.domain = self.logins["admin"][0].split("@")[1]

    def pid(self):
        return int((self.var / "run/server.pid").read_text())

    def kill_server(self):
        """kill -9, as a crash would. What is needed to start the very same again comes back."""
        process = pathlib.Path(f"/proc/{self.pid()}")
        owner = process.stat()
        command = process.joinpath("cmdline").read_bytes().split(b"\0")[:-1]
        variables = dict(v.split(b"=", 1) for v in process.joinpath("environ").read_bytes().split(b"\0") if b"=" in v)
        place = os.readlink(process / "cwd")
        os.kill(self.pid(), signal.SIGKILL)
        while process.joinpath("cmdline").exists() and process.joinpath("cmdline").read_bytes():
            time.sleep(0.01)
        return {"args": command, "env": variables, "cwd": place, "user": owner.st_uid, "group": owner.st_gid}

    def start_server(self, like):
        """Starts it as it was, under the same pid file and log. Returns the seconds until it was ready."""
        start = time.monotonic()
        identity = {} if os.geteuid() == like["user"] else \
            {"user": like["user"], "group": like["group"], "extra_groups": []}
        with open(self.var / "log/server.log", "ab") as log:
            server = subprocess.Popen(like["args"], env=like["env"], cwd=like["cwd"], stdin=subprocess.DEVNULL,
                                      stdout=log, stderr=log, start_new_session=True, **identity)
        (self.var / "run/server.pid").write_text(f"{server.pid}\n")
        while not self.ready():
            if server.poll() is not None or time.monotonic() - start > 60:
                raise RuntimeError(f"the server did not come back; see {self.var}/log/server.log")
            time.sleep(0.1)
        return time.monotonic() - start

    def ready(self):
        try:
            with urllib.request.urlopen(self.server + "/readyz", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False
