"""annotate-stream and `annotate consume`: what is committed is in the stream once, in order (I5), whatever dies on the way.
The same tests run against every sink."""
import hashlib
import json
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

import pytest

from stream_env import Broker, Database, Relay, World, consume, until

EVENTS = "SELECT count(*) FROM event"


class Stream(unittest.TestCase):
    """A database, a directory and a stream of its own for each test."""

    @pytest.fixture(autouse=True)
    def on_cluster(self, cluster):
        self.db = Database(cluster)
        yield
        self.db.drop()

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="annotate-stream-"))
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.blobs = self.directory / "blobs"
        self.blobs.mkdir()
        self.world = World(self.db, self.blobs)
        self.prefix = f"t{uuid.uuid4().hex[:10]}"
        self.sink = self.make_sink()

    def relay(self, *words, **options):
        relay = Relay(self.db, self.sink, self.prefix, self.blobs, self.directory, *words, **options)
        self.addCleanup(relay.stop, signal.SIGKILL)
        return relay

    def verify(self):
        done = consume(self.sink, self.prefix, "--verify")
        self.assertTrue(done.stdout, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if result["errors"] else 0)
        return result

    def records(self, topic):
        done = consume(self.sink, self.prefix, "--topic", topic)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def catch_up(self, relay):
        """Waits until the stream holds every event there is now; what the verification says of it."""
        want, result = self.db.number(EVENTS), {}

        def there():
            self.assertIsNone(relay.process.poll(), f"the relay ended:\n{relay.text()}")
            done = consume(self.sink, self.prefix, "--verify")
            result.update(json.loads(done.stdout or "{}"))
            return result.get("events") == want

        until(there, 60, lambda: f"{result} instead of {want} events:\n{relay.text()}")
        time.sleep(0.1)     # a release's end may follow in a later transaction than its event
        return self.verify()


class Conformance:
    """What every sink must do."""

    def test_everything_once_and_in_order(self):
        self.world.import_tasks(300)
        self.world.claim(1, 50)
        relay = self.relay().wait_started()
        self.world.finish(1, 200)
        self.world.finish(201, 201, b'["' + b"x" * (300 << 10) + b'"]')
        self.world.move("reopen", "done", "annotate", 1, 20)
        self.world.finish(1, 5)
        self.world.move("archive", "done", "archived", 30, 34)
        self.world.move("restore", "archived", "done", 30, 31)
        release, root = self.world.release(50, 180)
        self.catch_up(relay)
        until(lambda: self.verify()["release_items"] == 131, 20, relay.text)
        result = self.verify()
        self.assertEqual(result["messages"], [])
        self.assertEqual(result["actions"], {"import": 300, "submit": 206, "reopen": 20, "archive": 5, "restore": 2, "claim": 50})
        self.assertEqual((result["other_events"], result["tasks"], result["releases"]), (1, 300, 1))
        self.assertEqual((result["labels"], result["tombstones"]), (201 - 20 + 5 - 5 + 2, 25))
        self.check_records(release, root)
        self.assertEqual(relay.stop(), 0)
        self.assertFalse(relay.pid_file.exists())

    def check_records(self, release, root):
        labels = {}
        for record in self.records("labels"):
            labels[int(record["key"])] = record
        self.assertIsNone(labels[20]["value"])
        self.assertEqual(labels[20]["headers"]["ce_type"], "annotate.label.withdrawn.v1")
        plain = labels[60]
        self.assertEqual(plain["value"]["result"], json.loads(self.world.documents[60]))
        self.assertEqual(plain["value"]["data"], {"image": 60})
        self.assertEqual(plain["headers"]["ce_datasha256"], hashlib.sha256(self.world.documents[60]).hexdigest())
        self.assertEqual(plain["headers"]["ce_source"], "/tenants/1/projects/1")
        self.assertEqual((plain["headers"]["ce_subject"], plain["headers"]["ce_sequence"]), ("task/60", "2"))
        large = labels[201]
        self.assertIsNone(large["value"]["result"])
        self.assertEqual(large["headers"]["ce_dataref"], f"/v1/labels/{large['value']['label']['id']}")
        self.assertEqual(large["value"]["label"]["bytes"], (300 << 10) + 4)
        begin, *items, end = self.records("releases")
        self.assertEqual((begin["key"], begin["value"]["items"]), (str(release), 131))
        self.assertEqual((end["value"]["count"], end["value"]["root"]), (131, root))
        self.assertEqual({i["headers"]["ce_type"] for i in items}, {"annotate.release.item.v1"})

    def test_goes_on_where_it_stopped(self):
        for part in range(3):
            self.world.import_tasks(10)
            relay = self.relay().wait_started()
            result = self.catch_up(relay)
            self.assertEqual((result["events"], result["errors"]), (10 * (part + 1), 0), result)
            self.assertEqual(relay.stop(), 0)

    def killed(self, point):
        """Runs a relay into a fault point, which ends it as kill -9 would."""
        relay = self.relay(fault=f"{point}:kill")
        self.assertEqual(relay.end(), -signal.SIGKILL, f"{point}: {relay.text()}")

    def test_killed_at_every_point(self):
        """While four writers move three tasks: before, between and behind put and commit."""
        self.world.import_tasks(3)
        for point in self.points:
            writers = self.world.writers(4, 40, 3)
            self.killed(point)
            for writer in writers:
                self.assertEqual(writer.wait(60), 0)
        result = self.catch_up(self.relay().wait_started())
        self.assertEqual((result["messages"], result["actions"]), ([], {"import": 3, "skip": 160 * len(self.points)}))

    def test_killed_at_random(self):
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        self.world.import_tasks(5)
        writers = self.world.writers(4, 300, 5)
        for _ in range(8):
            relay = self.relay()
            time.sleep(rng.uniform(0.05, 1.5))
            relay.stop(signal.SIGKILL)
        for writer in writers:
            self.assertEqual(writer.wait(60), 0)
        result = self.catch_up(self.relay().wait_started())
        self.assertEqual((result["messages"], result["actions"]), ([], {"import": 5, "skip": 1200}), f"seed {seed}")

    def test_killed_inside_a_large_release(self):
        """More items than a transaction takes: the position says how much of it is out."""
        self.world.import_tasks(6000)
        self.world.finish(1, 6000)
        self.world.release(1, 6000)
        # 18,000 records lie before the release's; a transaction takes 5,000.
        for point in "stream_after_commit:3", "stream_put:4000", "stream_after_commit:1", "stream_put:1000", "stream_before_commit:1":
            self.killed(point)
        relay = self.relay().wait_started()
        self.catch_up(relay)
        until(lambda: self.verify()["errors"] == 0, 30, lambda: f"{self.verify()}\n{relay.text()}")
        result = self.verify()
        self.assertEqual((result["releases"], result["release_items"], result["labels"]), (1, 6000, 6000))

    def test_open_transaction_does_not_hold_others_up(self):
        """A writer that sits there: others' events go out, its own follow after its commit."""
        self.world.import_tasks(1)
        relay = self.relay().wait_started()
        with self.open_transaction() as writer:
            self.world.import_tasks(5)
            self.assertEqual(self.catch_up(relay)["events"], 6)
            writer.stdin.write("COMMIT;\n")
            writer.stdin.close()
            self.assertEqual(writer.wait(20), 0)
        result = self.catch_up(relay)
        self.assertEqual((result["events"], result["errors"]), (7, 0), result)

    def open_transaction(self):
        writer = self.db.psql(stdin=subprocess.PIPE)
        writer.stdin.write("""BEGIN; WITH m AS (UPDATE task SET version = version + 1 WHERE id = 1 RETURNING id, version)
            INSERT INTO event (tenant_id, project_id, task_id, task_version, action, from_state, to_state)
            SELECT 1, 1, id, version, 'skip', 'annotate', 'annotate' FROM m;\n""")
        writer.stdin.flush()
        until(lambda: self.db.number("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND "
                                     "datname = current_database()") == 1, 10, "no open transaction")
        return writer

    def test_two_relays(self):
        """One of them goes, with a word why; nothing is there twice."""
        self.world.import_tasks(10)
        first = self.relay().wait_started()
        self.catch_up(first)
        second = self.relay()
        self.world.import_tasks(10)
        until(lambda: first.process.poll() is not None or second.process.poll() is not None, 60, "both go on")
        loser, winner = (first, second) if first.process.poll() is not None else (second, first)
        self.assertEqual(loser.process.returncode, 3, loser.text())
        self.assertIn("another relay has taken over", loser.text())
        result = self.catch_up(winner)
        self.assertEqual((result["events"], result["errors"]), (20, 0), result)

    def test_database_connection_lost(self):
        self.world.import_tasks(10)
        relay = self.relay().wait_started()
        self.catch_up(relay)
        for _ in range(3):
            self.db("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'annotate_worker' AND "
                    "datname = current_database()")
            self.world.import_tasks(10)
            result = self.catch_up(relay)
            self.assertEqual(result["errors"], 0, result)
        self.assertEqual(result["events"], 40)

    def test_other_database(self):
        """A database made anew under the same name is not the stream's: nothing is sent, an alarm says why."""
        self.world.import_tasks(10)
        relay = self.relay().wait_started()
        self.catch_up(relay)
        relay.stop()
        self.db.drop()
        self.db.make()
        self.world.import_tasks(20)
        relay = self.relay()
        self.assertEqual(relay.end(), 3, relay.text())
        self.assertIn("stream_alarm", relay.text())
        self.assertIn("not the one", relay.text())
        self.assertEqual(self.verify()["events"], 10)

    def test_label_that_cannot_be_read(self):
        """It is not skipped: the stream waits, says so, and goes on when the blob is back."""
        self.world.import_tasks(2)
        self.world.finish(1, 1)
        [pack] = [p for p in (self.blobs / "packs").rglob("*") if p.is_file()]
        good = pack.read_bytes()
        pack.write_bytes(good.replace(b"r1", b"r2"))
        relay = self.relay().wait_started()
        until(lambda: "cannot be read" in relay.text(), 20, relay.text)
        self.assertEqual(self.records("labels"), [])
        pack.write_bytes(good)
        result = self.catch_up(relay)
        self.assertEqual((result["errors"], result["labels"]), (0, 1), result)


class FileSink(Conformance, Stream):
    points = ("stream_put:1", "stream_put:2", "stream_before_commit:1", "stream_after_commit:1", "stream_put:50")

    def make_sink(self):
        return f"file:{self.directory}/out"

    def log(self):
        return sorted((self.directory / "out").glob("*.jsonl"))[-1]

    def test_ahead_of_the_database(self):
        """As after a restore to an earlier time."""
        self.world.import_tasks(10)
        relay = self.relay().wait_started()
        self.catch_up(relay)
        relay.stop()
        *_, trailer = self.log().read_text().splitlines()
        position = json.loads(trailer)["batch"]["position"]
        position["prev"] = "900000000:900000000:"
        self.append([], position)
        relay = self.relay()
        self.assertEqual(relay.end(), 3, relay.text())
        self.assertIn("ahead of the database", relay.text())

    def append(self, records, position):
        lines = "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in records)
        text = json.dumps(position, separators=(",", ":"))
        digest = hashlib.sha256((lines + text).encode()).hexdigest()
        with open(self.log(), "a", encoding="utf-8") as f:
            f.write(f'{lines}{{"batch":{{"records":{len(records)},"sha256":"{digest}","position":{text}}}}}\n')

    def test_verify_finds(self):
        """Each kind of damage, one by one, in a good stream."""
        self.world.import_tasks(3)
        self.world.finish(1, 2)
        self.world.release(1, 2)
        relay = self.relay().wait_started()
        self.catch_up(relay)
        until(lambda: self.verify()["errors"] == 0, 10, relay.text)
        relay.stop()
        good = [json.loads(line) for line in self.log().read_text().splitlines()]
        good = [line for line in good if "topic" in line]
        for name, change, message in self.damages():
            with self.subTest(name):
                records = json.loads(json.dumps(good))
                change(records)
                self.log().write_text("")
                self.append(records, {})
                result = self.verify()
                self.assertGreater(result["errors"], 0)
                self.assertIn(message, " ".join(result["messages"]))

    def damages(self):
        def find(records, topic, kind):
            return next(i for i, r in enumerate(records) if r["topic"] == topic and kind in r["headers"]["ce_type"])

        def twice(records):
            records.append(records[0])

        def lost_event(records):
            del records[find(records, "events", "import")]

        def lost_label(records):
            del records[find(records, "labels", "final")]

        def swapped(records):
            task = [i for i, r in enumerate(records) if r["topic"] == "events" and r["key"] == "1"]
            records[task[0]], records[task[1]] = records[task[1]], records[task[0]]

        def label_bytes(records):
            records[find(records, "labels", "final")]["value"]["result"][0]["text"] = "other"

        def lost_item(records):
            del records[find(records, "releases", "item")]

        def item_changed(records):
            records[find(records, "releases", "item")]["value"]["s"] = "test"

        def no_end(records):
            del records[find(records, "releases", "end")]

        def illegal(records):
            records[find(records, "events", "submit")]["value"]["to"] = "prelabel"

        return [("twice", twice, "is there twice"), ("lost event", lost_event, "behind version 0"),
                ("lost label", lost_label, "is done, but has no label"), ("swapped", swapped, "behind version"),
                ("label bytes", label_bytes, "label of task"), ("lost item", lost_item, "it promised 2"),
                ("item changed", item_changed, "the root it claims"), ("no end", no_end, "has no end"),
                ("illegal move", illegal, "not in the workflow")]

    def test_torn_tail(self):
        """What a crash tore is not shown, and the next relay sends it again."""
        self.world.import_tasks(5)
        relay = self.relay().wait_started()
        self.catch_up(relay)
        relay.stop()
        whole = self.log().read_bytes()
        self.log().write_bytes(whole[:-10])
        self.assertEqual(self.verify()["events"], 0)
        result = self.catch_up(self.relay().wait_started())
        self.assertEqual((result["events"], result["errors"]), (5, 0), result)


class KafkaSink(Conformance, Stream):
    points = FileSink.points + ("stream_kafka_produced:1",)
    broker = None

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        if not cls.broker.address:
            raise unittest.SkipTest(cls.broker.reason)

    def make_sink(self):
        return f"kafka:{self.broker.address}"

    def test_lost_position(self):
        """Events without a position: it is the operator who says that all shall be sent again."""
        if not list(pathlib.Path(self.broker.jars).glob("kafka-tools*.jar")):
            self.skipTest("the jars that delete a topic are not there")
        self.world.import_tasks(4)
        relay = self.relay().wait_started()
        self.catch_up(relay)
        relay.stop()
        self.broker.java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.broker.address, "--delete",
                         "--topic", f"{self.prefix}.relay-pos")
        relay = self.relay()
        self.assertEqual(relay.end(), 3, relay.text())
        self.assertIn("from-start", relay.text())
        self.assertEqual(self.verify()["events"], 4)
        relay = self.relay("from-start").wait_started()
        until(lambda: self.verify()["events"] == 8, 30, relay.text)
        self.assertEqual(self.verify()["errors"], 8)    # each again under its old ce_id, and its version again
