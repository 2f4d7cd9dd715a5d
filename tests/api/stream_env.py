"""What the tests of the stream stand on: a database of their own, a broker, the relay as a process, and events made by hand.

TEST_KAFKA       HOST:PORT of a broker; without it one is started from
TEST_KAFKA_JARS  a directory of Kafka's jars (default: var/kafka/lib, where ./run puts them), if they are there
"""
import atexit
import glob
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

from stand import BIN, CRASH, ENVIRONMENT, ROOT, free_port


class Database:
    """A new database with the schema and the tenants of tests/support/stand.py in it."""

    def __init__(self, cluster):
        self.cluster, self.name = cluster, f"stream_{uuid.uuid4().hex[:12]}"
        self.make()

    def make(self):
        self.cluster.create(self.name, self.cluster.template)

    def drop(self):
        self.cluster.drop(self.name)

    def psql(self, *arguments, **options):
        return subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.cluster.host, "-U",
                                 "postgres", self.name, *arguments], text=True, **options)

    def __call__(self, sql):
        with self.psql(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            out, err = p.communicate(sql, timeout=120)
        assert p.returncode == 0, err
        return out.strip()

    def number(self, sql):
        return int(self(sql))

    @property
    def conninfo(self):
        return self.cluster.conninfo(self.name, "annotate_worker")


# --- events by hand ---

def merkle(hashes):
    """RFC 6962, by its recursive definition."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + merkle(hashes[:k]) + merkle(hashes[k:])).digest()


def release_root(items):
    """The root of {key: line}, as core/merkle.h defines it."""
    buckets = [[] for _ in range(4096)]
    for key in sorted(items, key=lambda k: k.encode()):
        hash_ = hashlib.sha256(key.encode()).digest()
        buckets[hash_[0] << 4 | hash_[1] >> 4].append(hashlib.sha256(b"\0" + items[key].encode()).digest())
    return merkle([merkle(b) for b in buckets]).hex()


class World:
    """Tenant 1, project 1. Writes tasks, labels and events as the server would, in one transaction a call."""

    def __init__(self, database, blobs):
        self.db, self.blobs = database, blobs
        self.documents = {}                                  # label id -> bytes

    def import_tasks(self, count):
        self.db(f"""WITH t AS (INSERT INTO task (tenant_id, project_id, state, data, external_id)
                SELECT 1, 1, 'annotate', json_build_object('image', g), CASE WHEN g % 2 = 0 THEN 'ext-' || g || '-' || random() END
                FROM generate_series(1, {count}) g RETURNING id)
            INSERT INTO event (tenant_id, project_id, task_id, task_version, action, from_state, to_state)
            SELECT 1, 1, id, 1, 'import', 'none', 'annotate' FROM t ORDER BY id""")

    def claim(self, first, last):
        self.db(f"""INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                                       action, from_state, to_state)
            SELECT 1, 1, id, version, 7, id, 1, 'claim', state, state FROM task WHERE id BETWEEN {first} AND {last}""")

    def pack_path(self, pack):
        return self.blobs / "packs" / "1" / pack[:2] / pack

    def finish(self, first, last, document=None):
        """Submits tasks first..last, which makes them done; their labels lie in one pack."""
        pack, offset, rows = uuid.uuid4().hex, 0, []
        path = self.pack_path(pack)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as f:
            for task in range(first, last + 1):
                doc = document or json.dumps([{"id": "r1", "task": task, "text": "é\n"}], separators=(",", ":"),
                                             sort_keys=True, ensure_ascii=False).encode()
                f.write(doc)
                rows.append(f"({task}, {offset}, {len(doc)}, '\\x{hashlib.sha256(doc).hexdigest()}'::bytea)")
                self.documents[task] = doc
                offset += len(doc)
        self.db(f"""WITH d (task, off, bytes, sha) AS (VALUES {','.join(rows)}),
            l AS (INSERT INTO label_version (tenant_id, project_id, task_id, author, pack_off, seq, bytes, regions,
                      label_config_version, stage, kind, sha256, pack)
                  SELECT 1, 1, d.task, 7, d.off, t.label_seq + 1, d.bytes, 1, 1, 'annotate', 'submission', d.sha, '{pack}'
                  FROM d JOIN task t ON t.id = d.task RETURNING id, task_id),
            m AS (UPDATE task t SET state = 'done', version = version + 1, head_label = l.id, label_seq = label_seq + 1
                  FROM l WHERE t.id = l.task_id RETURNING t.id, t.version, l.id AS label)
            INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, label_id, action, from_state, to_state)
            SELECT 1, 1, id, version, 7, label, 'submit', 'annotate', 'done' FROM m ORDER BY id""")

    def move(self, action, from_state, to_state, first, last):
        self.db(f"""WITH m AS (UPDATE task SET state = '{to_state}', version = version + 1,
                        archived_from = CASE WHEN '{to_state}' = 'archived' THEN state END
                    WHERE id BETWEEN {first} AND {last} RETURNING id, version)
            INSERT INTO event (tenant_id, project_id, task_id, task_version, action, from_state, to_state)
            SELECT 1, 1, id, version, '{action}', '{from_state}', '{to_state}' FROM m ORDER BY id""")

    def release(self, first, last):
        """Cuts a release of the labels of tasks first..last. Its id and its root, computed here."""
        asset = hashlib.sha256(b"asset").hexdigest()
        rows = self.db(f"""SELECT t.id, release_key(2::smallint, t.external_id, t.id), l.id, encode(l.sha256, 'hex')
            FROM task t JOIN label_version l ON l.id = t.head_label WHERE t.id BETWEEN {first} AND {last}""")
        items, values = {}, []
        for row in rows.splitlines():
            task, key, label, sha = row.split("|")
            items[key] = json.dumps({"a": [asset] if int(task) % 3 else [], "k": key, "l": sha, "lv": int(label), "s": "train"},
                                    separators=(",", ":"), sort_keys=True, ensure_ascii=False)
            assets = f"ARRAY['\\x{asset}'::bytea]" if int(task) % 3 else "'{}'"
            values.append(f"(1, currval('release_id_seq'), {task}, {label}, 'train', '\\x{sha}', {assets})")
        root = release_root(items)
        number = self.db(f"""BEGIN;
            INSERT INTO release (tenant_id, project_id, name, split, salt, created_by)
                VALUES (1, 1, '{uuid.uuid4()}', '{{"train": 1}}', 's', 7);
            INSERT INTO release_item (tenant_id, release_id, task_id, label_id, split, label_sha256, asset_sha256)
                VALUES {','.join(values)};
            UPDATE release SET state = 'ready', items = {len(items)}, root = '\\x{root}', splits = '{{"train": {len(items)}}}',
                    label_config_version = 1
                WHERE id = currval('release_id_seq');
            INSERT INTO event (tenant_id, project_id, release_id, action, from_state, to_state, detail)
                VALUES (1, 1, currval('release_id_seq'), 'publish', 'none', 'none', '{{"type": "release_ready"}}');
            COMMIT;
            SELECT currval('release_id_seq')""")
        return int(number), root

    def writers(self, count, rounds, tasks):
        """Processes that move the same few tasks at once, one transaction a move; wait for them."""
        sql = f"""DO $$ DECLARE chosen bigint; BEGIN FOR i IN 1..{rounds} LOOP
                chosen := 1 + floor(random() * {tasks});
                WITH m AS (UPDATE task SET version = version + 1 WHERE id = chosen RETURNING id, version)
                INSERT INTO event (tenant_id, project_id, task_id, task_version, action, from_state, to_state)
                SELECT 1, 1, id, version, 'skip', 'annotate', 'annotate' FROM m;
                COMMIT;
                IF i % 10 = 0 THEN PERFORM pg_sleep(0.002); END IF;
            END LOOP; END $$;"""
        return [self.db.psql("-c", sql) for _ in range(count)]


# --- the relay and its reader ---

class Relay:
    """annotate-stream as a process; its log is kept for the messages of failed tests."""

    def __init__(self, database, sink, prefix, blobs, directory, *words, fault=None):
        name = uuid.uuid4().hex[:8]
        self.log, self.pid_file = directory / f"{name}.log", directory / f"{name}.pid"
        env = ENVIRONMENT | ({"ANNOTATE_FAULT": fault} if fault else {})
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [BIN / "annotate-stream", "--db-worker", database.conninfo, "--sink", sink, "--topic-prefix", prefix,
                 "--blobs", f"fs:{blobs}", "--poll-ms", "10", "--pid-file", self.pid_file, *words], stderr=log, env=env)

    def text(self):
        return self.log.read_text(encoding="utf-8")

    def wait_started(self, seconds=60):
        until(self.pid_file.exists, seconds, lambda: f"the relay did not start:\n{self.text()}")
        return self

    def end(self, seconds=60):
        """Waits for it to end by itself; the exit status."""
        return self.process.wait(seconds)

    def stop(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        status = self.process.wait(60)
        assert not CRASH.search(self.text()), self.text()
        return status


def until(condition, seconds, message):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(message() if callable(message) else message)
        time.sleep(0.05)


def consume(sink, prefix, *arguments):
    kind, where = sink.split(":", 1)
    return subprocess.run([BIN / "annotate", "consume", f"--{kind}", where, "--topic-prefix", prefix, *arguments],
                          env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)


# --- a broker ---

class Broker:
    """A Kafka node for the tests; `address` is None, with the reason, where there is none to be had."""

    def __init__(self):
        self.address, self.reason = os.environ.get("TEST_KAFKA"), None
        self.jars = os.environ.get("TEST_KAFKA_JARS", str(ROOT / "var/kafka/lib"))
        if self.address:
            return
        if not shutil.which("java"):
            self.reason = "no java, and TEST_KAFKA names no broker"
        elif not glob.glob(f"{self.jars}/kafka_*.jar"):
            self.reason = f"no Kafka in {self.jars} (./run fetches it), and TEST_KAFKA names no broker"
        else:
            self.start()

    def java(self, *arguments, **options):
        return subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{self.jars}/*", *arguments], check=True,
                              capture_output=True, text=True, timeout=120, **options).stdout

    def start(self):
        self.directory = tempfile.mkdtemp(prefix="annotate-kafka-")
        port, controller = free_port(), free_port()
        settings = (ROOT / "deploy/kafka/server.properties").read_text()
        for name, value in ("@PORT@", port), ("@CONTROLLER@", controller), ("@DATA@", f"{self.directory}/data"):
            settings = settings.replace(name, str(value))
        path = pathlib.Path(self.directory, "server.properties")
        path.write_text(self.dress(settings))
        number = self.java("kafka.tools.StorageTool", "random-uuid").strip()
        self.java("kafka.tools.StorageTool", "format", "-t", number, "-c", str(path), "--standalone")
        self.process = subprocess.Popen(
            ["java", "-Xms128m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{self.jars}/*",
             "kafka.Kafka", str(path)], stdout=open(f"{self.directory}/log", "w", encoding="utf-8"), stderr=subprocess.STDOUT)
        atexit.register(self.stop)
        until(lambda: listens(port), 60, f"Kafka did not start; see {self.directory}/log")
        self.address = f"127.0.0.1:{port}"

    def dress(self, settings):
        """The text of server.properties, for who wants another one."""
        return settings

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
