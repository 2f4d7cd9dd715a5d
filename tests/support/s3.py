#!/usr/bin/env python3
"""An S3 service for tests: moto keeps the objects; in front of it every signature is checked with botocore, every body against
the SHA-256 and the MD5 that came with it, and faults are made.

`s3.py COMMAND...` runs a command beside one: TEST_S3 is its bucket as --blobs takes it, TEST_S3_KEYS the directory of the key's
files `access` and `secret`. From Python: Service().

A fault is asked for by the key: `fault.KIND.TIMES.OPERATION.…/` in it makes that operation go wrong so many times. Kinds: a status
(500, 503, 403, 404), `timeout`, `reset` (after all was done), `truncated`, `etag` (another one than it should be), `flip` (what is
stored is not what came), `error200` (an error under a good status). `kms` in the key is no fault: its objects are encrypted with a
key of the service, so their ETags are no hashes. Operations: get, head, put, delete, begin, part, complete, copy.
"""
import base64
import collections
import datetime
import hashlib
import http.client
import http.server
import logging
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

try:
    from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer
except ImportError as e:
    MISSING = str(e)
else:
    MISSING = None

BUCKET = "annotate-test"
ACCESS, SECRET, REGION = "AKIDTEST0000EXAMPLE", "wJalr/XUtnFEMI+K7MDENG/bPxRfiCYTESTKEY", "eu-central-1"
FAULT = re.compile(r"fault\.([a-z0-9]+)\.(\d+)\.([a-z]+)\.[^/]*")
CODES = {500: "InternalError", 503: "SlowDown", 403: "AccessDenied", 404: "NoSuchKey"}
TIMEOUT_S = 3  # longer than the timeout_s=1 of the tests


def error(code):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as the test asked</Message></Error>".encode()


class Wrong(Exception):
    """What S3 would refuse: a code."""


def signature(request, time_of, auth, query=False):
    request.context["timestamp"] = time_of
    canonical = auth.canonical_request(request)
    return auth.signature(auth.string_to_sign(request, canonical), request), canonical


def check_key(credential):
    access, _, region, service, last = credential.split("/")
    if access != ACCESS:
        raise Wrong("InvalidAccessKeyId")
    if (region, service, last) != (REGION, "s3", "aws4_request"):
        raise Wrong("AuthorizationHeaderMalformed")


def check_header(method, url, headers, body):
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})", headers["Authorization"])
    if not match:
        raise Wrong("AuthorizationHeaderMalformed")
    check_key(match[1])
    signed = match[2].split(";")
    must = {"host", "x-amz-content-sha256", "x-amz-date"} | {n.lower() for n in headers if n.lower().startswith("x-amz-")}
    if not must <= set(signed):
        raise Wrong("AccessDenied")
    request = AWSRequest(method, url, headers={name: headers[name] for name in signed})
    want, _ = signature(request, headers["x-amz-date"], S3SigV4Auth(Credentials(ACCESS, SECRET), "s3", REGION))
    if want != match[3]:
        raise Wrong("SignatureDoesNotMatch")
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.strptime(headers["x-amz-date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    if abs(age.total_seconds()) > 900:
        raise Wrong("RequestTimeTooSkewed")
    if headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
        raise Wrong("XAmzContentSHA256Mismatch")


def check_query(method, url, headers):
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    check_key(query["X-Amz-Credential"])
    bare = "&".join(p for p in parts.query.split("&") if not p.startswith("X-Amz-Signature="))
    request = AWSRequest(method, parts._replace(query=bare).geturl(), headers={"Host": headers["Host"]})
    auth = S3SigV4QueryAuth(Credentials(ACCESS, SECRET), "s3", REGION)
    want, _ = signature(request, query["X-Amz-Date"], auth)
    if want != query["X-Amz-Signature"]:
        raise Wrong("SignatureDoesNotMatch")
    begin = datetime.datetime.strptime(query["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    if datetime.datetime.now(datetime.UTC) > begin + datetime.timedelta(seconds=int(query["X-Amz-Expires"])):
        raise Wrong("AccessDenied")


def opaque(data):
    """ETags as the service says them where it encrypts; twice is once."""
    return re.sub(rb"[0-9a-f]{32}", lambda m: m[0][::-1], data)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def operation(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query, keep_blank_values=True)
        if self.command == "POST":
            return "begin" if "uploads" in query else "complete"
        if self.command == "PUT":
            return "part" if "partNumber" in query else "copy" if "x-amz-copy-source" in self.headers else "put"
        return self.command.lower()

    def fault(self):
        """The kind that is due, or None."""
        match = FAULT.search(self.path)
        if not match or match[3] != self.operation() or "annotate-is-here" in self.path:
            return None
        with self.server.lock:
            self.server.faults[match[0]] += 1
            return match[1] if self.server.faults[match[0]] <= int(match[2]) else None

    def answer(self, status, headers, body, cut=False):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(n.lower() == "content-length" for n, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:len(body) // 2] if cut else body)
        if cut:
            self.reset()

    def reset(self):
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        self.rfile = self.wfile = open(os.devnull, "r+b")

    def forward(self, body):
        """What moto says: status, headers, body."""
        path, host = self.path, self.headers["Host"]
        if host.startswith(BUCKET + "."):
            path = f"/{BUCKET}{path}"
        connection = http.client.HTTPConnection(*self.server.behind, timeout=60)
        headers = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection", "content-md5")}
        connection.request(self.command, path, body if self.command in ("PUT", "POST") else None, headers)
        answer = connection.getresponse()
        hop = ("connection", "transfer-encoding", "date", "server")
        kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in hop]
        data = answer.read()
        connection.close()
        if self.command != "HEAD":
            kept = [(n, v) for n, v in kept if n.lower() != "content-length"]
        return answer.status, kept, data

    def check(self, body):
        url = f"http://{self.headers['Host']}{self.path}"
        if "Authorization" in self.headers:
            check_header(self.command, url, self.headers, body)
        elif "X-Amz-Signature=" in self.path:
            check_query(self.command, url, self.headers)
        else:
            raise Wrong("AccessDenied")
        md5 = self.headers.get("Content-MD5")
        if md5 and base64.b64decode(md5) != hashlib.md5(body).digest():
            raise Wrong("BadDigest")

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(f"{self.operation()} {self.path}")
        try:
            self.check(body)
        except Wrong as wrong:
            return self.answer(403, [("Content-Type", "application/xml")], error(wrong))
        kind = self.fault()
        if kind and kind.isdigit():
            return self.answer(int(kind), [("Content-Type", "application/xml")], error(CODES[int(kind)]))
        if kind == "timeout":
            time.sleep(TIMEOUT_S)
            return self.reset()
        if kind == "error200":
            return self.answer(200, [("Content-Type", "application/xml")], error("InternalError"))
        if kind == "flip":
            body = bytes([body[0] ^ 1]) + body[1:]
        kms = "/kms" in self.path
        status, headers, data = self.forward(opaque(body) if kms and self.operation() == "complete" else body)
        if kms and self.command in ("PUT", "POST"):
            data = re.sub(rb"<ETag>.*?</ETag>", lambda m: opaque(m[0]), data)
            headers = [(n, opaque(v.encode()).decode() if n.lower() == "etag" else v) for n, v in headers]
            headers.append(("x-amz-server-side-encryption", "aws:kms"))
        for old, new in self.server.rewrite if b"<ListBucketResult" in data[:200] else []:
            data = data.replace(old, new)
        if kind == "reset":
            return self.reset()
        if kind == "etag":
            headers = [(n, '"00000000000000000000000000000000"' if n.lower() == "etag" else v) for n, v in headers]
            data = re.sub(rb"<ETag>.*?</ETag>", b"<ETag>&quot;00000000000000000000000000000000-2&quot;</ETag>", data)
        return self.answer(status, headers, data, cut=kind == "truncated")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one


class Front(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Service:
    """A running service with one empty bucket. `blobs`: what --blobs takes; `keys`: the directory of the key's files."""

    def __init__(self):
        if MISSING:
            raise RuntimeError(MISSING)
        os.environ.setdefault("AWS_ACCESS_KEY_ID", "moto")  # moto's own, inside
        os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "moto")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self.moto.start()
        self.front = Front(("127.0.0.1", 0), Handler)
        self.front.behind = self.moto.get_host_and_port()
        self.front.lock, self.front.faults, self.front.requests = threading.Lock(), collections.Counter(), []
        self.front.rewrite = []  # of listings: pairs of bytes, for what moto cannot say
        self.port = self.front.server_address[1]
        threading.Thread(target=self.front.serve_forever, daemon=True).start()
        self.directory = tempfile.TemporaryDirectory(prefix="annotate-s3-")
        self.keys = pathlib.Path(self.directory.name)
        (self.keys / "access").write_text(ACCESS + "\n")
        (self.keys / "secret").write_text(SECRET + "\n")
        (self.keys / "secret").chmod(0o600)
        self.blobs = f"s3:http://127.0.0.1:{self.port}/{BUCKET}"
        self.raw("PUT", "")

    @property
    def settings(self):
        return {"s3_access_key_file": self.keys / "access", "s3_secret_key_file": self.keys / "secret"}

    @property
    def requests(self):
        """What has been asked for: "put /bucket/key?query"."""
        return self.front.requests

    def spec(self, prefix="", **options):
        query = "&".join(f"{k}={v}" for k, v in {"region": REGION, **options}.items())
        return f"{self.blobs}{'/' + prefix if prefix else ''}?{query}"

    def raw(self, method, key, body=None):
        """Behind the front, unsigned: status and body."""
        c = http.client.HTTPConnection(*self.front.behind, timeout=60)
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential=moto/20200101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"}
        create = f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        c.request(method, f"/{BUCKET}{'/' + key if key else ''}", body if key else create if method == "PUT" else None, headers)
        answer = c.getresponse()
        return answer.status, answer.read()

    def objects(self, prefix=""):
        """The keys that there are, all of them."""
        return [k for k in re.findall(r"<Key>(.*?)</Key>", self.raw("GET", "?max-keys=100000")[1].decode()) if k.startswith(prefix)]

    def stop(self):
        self.front.shutdown()
        self.front.server_close()
        self.moto.stop()
        self.directory.cleanup()


def main(command):
    if MISSING:
        print(f"no S3 service: {MISSING}", file=sys.stderr)
        return subprocess.run(command, check=False).returncode
    service = Service()
    beside = {"TEST_S3": service.spec(), "TEST_S3_KEYS": str(service.keys)}
    try:
        return subprocess.run(command, env=os.environ | beside, check=False).returncode
    finally:
        service.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
