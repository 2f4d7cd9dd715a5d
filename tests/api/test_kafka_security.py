"""Kafka over TLS and with a login: settings that do not go together are refused at once, and a broker that asks for a certificate
and a password gets both, from annotate-stream and from `annotate consume`."""
import os
import pathlib
import re
import subprocess

import pytest

from stand import BIN, CRASH, ENVIRONMENT, free_port
from stream_env import Broker, Database, Relay, World, consume, until

PASSWORD = "open sesame"


def openssl(directory, *words):
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A CA, a broker's and a client's key and certificate, a password; as PEM files."""
    d = tmp_path_factory.mktemp("papers")
    openssl(d, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    for name, san in (("broker", "IP:127.0.0.1"), ("client", "DNS:client"), ("stranger", "IP:127.0.0.2")):
        openssl(d, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (d / "ext").write_text(f"subjectAltName={san}\n")
        openssl(d, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2",
                "-extfile", "ext")
        (d / f"{name}.both").write_text((d / f"{name}.key").read_text() + (d / f"{name}.pem").read_text())
        os.chmod(d / f"{name}.key", 0o600)
    for name, text in (("password", PASSWORD), ("wrong", "guess"), ("empty", "")):
        (d / name).touch(0o600)
        (d / name).write_text(text + "\n")
    (d / "open").write_text(PASSWORD)
    os.chmod(d / "open", 0o644)
    return d


def words(papers, **settings):
    """Options of both programs; a value that names one of the papers is its path."""
    return [w for name, value in settings.items() for w in (f"--kafka-{name.replace('_', '-')}", str(papers / value) if (papers / value).exists()
                                                            and value != "" else value)]


BAD = {
    "a certificate without its key": ({"ca_file": "ca.pem", "certificate_file": "client.pem"}, "go together"),
    "a key without its certificate": ({"ca_file": "ca.pem", "key_file": "client.key"}, "go together"),
    "a certificate without TLS": ({"certificate_file": "client.pem", "key_file": "client.key"}, "needs kafka_ca_file"),
    "a login without a name": ({"ca_file": "ca.pem", "sasl": "PLAIN", "password_file": "password"}, "needs kafka_username"),
    "a login without a password": ({"ca_file": "ca.pem", "sasl": "SCRAM-SHA-256", "username": "u"}, "needs kafka_username"),
    "a name without a login": ({"username": "u"}, "need kafka_sasl"),
    "a password without a login": ({"password_file": "password"}, "need kafka_sasl"),
    "a password in the clear": ({"sasl": "PLAIN", "username": "u", "password_file": "password"}, "needs kafka_ca_file"),
    "an unknown mechanism": ({"sasl": "GSSAPI", "username": "u", "password_file": "password"}, "must be PLAIN"),
    "no such CA": ({"ca_file": "/nowhere"}, "cannot be read"),
    "no such password": ({"sasl": "SCRAM-SHA-256", "username": "u", "password_file": "/nowhere"}, "cannot be read"),
    "a password for all to read": ({"sasl": "SCRAM-SHA-256", "username": "u", "password_file": "open"}, "others may read"),
    "no password in the file": ({"sasl": "SCRAM-SHA-256", "username": "u", "password_file": "empty"}, "is empty"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_does_not_go_together_is_refused(papers, what):
    settings, why = BAD[what]
    options = words(papers, **settings)
    stream = subprocess.run([BIN / "annotate-stream", "--sink", "kafka:127.0.0.1:1", *options], env=ENVIRONMENT, capture_output=True, text=True,
                            timeout=30, check=False)
    reader = consume("kafka:127.0.0.1:1", "x", "--verify", *options)
    assert (stream.returncode, reader.returncode) == (2, 1) and why in stream.stderr and why in reader.stderr, stream.stderr + reader.stderr
    assert not CRASH.search(stream.stderr + reader.stderr) and PASSWORD not in stream.stderr + reader.stderr


class SecureBroker(Broker):
    """A broker with one more listener, which asks for TLS, a certificate and a password."""

    def __init__(self, papers, certificate="broker"):
        self.papers, self.certificate, self.port, self.secure = papers, certificate, free_port(), None
        super().__init__()
        if self.address and not self.reason:
            self.secure = f"127.0.0.1:{self.port}"

    def dress(self, settings):
        settings = re.sub(r"(?m)^((?:advertised\.)?listeners=PLAINTEXT://[^,\n]*)", rf"\1,SASL_SSL://127.0.0.1:{self.port}", settings)
        settings = settings.replace("PLAINTEXT:PLAINTEXT\n", "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL\n")
        jaas = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_reader="{PASSWORD}";'
        return settings + f"""
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config={jaas}
ssl.keystore.type=PEM
ssl.keystore.location={self.papers}/{self.certificate}.both
ssl.truststore.type=PEM
ssl.truststore.location={self.papers}/ca.pem
listener.name.sasl_ssl.ssl.client.auth=required
"""


GOOD = {"ca_file": "ca.pem", "certificate_file": "client.pem", "key_file": "client.key", "sasl": "PLAIN", "username": "reader",
        "password_file": "password"}


@pytest.fixture(scope="module")
def broker(papers):
    broker = SecureBroker(papers)
    if not broker.secure:
        pytest.skip(broker.reason or "TEST_KAFKA names a broker that somebody else has set up")
    return broker


def test_the_stream_goes_over_tls_with_a_login(cluster, broker, papers, tmp_path):
    db, blobs = Database(cluster), tmp_path / "blobs"
    blobs.mkdir()
    World(db, blobs).import_tasks(50)
    sink, options = f"kafka:{broker.secure}", words(papers, **GOOD)
    relay = Relay(db, sink, "secure", blobs, pathlib.Path(tmp_path), *options)
    try:
        relay.wait_started()
        until(lambda: '"events":50' in consume(sink, "secure", "--verify", *options).stdout.replace(" ", ""), 60, relay.text)
        assert consume(sink, "secure", "--verify", *options).returncode == 0
        assert PASSWORD not in relay.text()
        with open(f"/proc/{relay.process.pid}/cmdline", "rb") as f:
            assert PASSWORD.encode() not in f.read()
    finally:
        assert relay.stop() == 0
        db.drop()


@pytest.mark.parametrize("change", [{"password_file": "wrong"}, {"username": "other"}, {"ca_file": "client.pem"},
                                    {"certificate_file": "", "key_file": ""}], ids=["password", "user", "CA", "no certificate"])
def test_a_broker_lets_nobody_else_in(broker, papers, change):
    settings = {name: value for name, value in (GOOD | change).items() if value}
    done = consume(f"kafka:{broker.secure}", "secure", "--verify", *words(papers, **settings))
    assert done.returncode == 1 and "does not answer" in done.stderr, done.stderr
