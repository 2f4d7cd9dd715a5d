"""The running server on the wire: what is refused, what every answer carries, how it ends. The rules one by one, with their
borders and deadlines, are in tests/unit/http_*.c; here they hold for the real routes, threads and gate."""
import json
import re
import socket
import struct
import time

import pytest
import requests

HOST = b"Host: a\r\n"
CLOSE = b"Connection: close\r\n\r\n"


def connect(server):
    s = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s):
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def talk(server, request):
    with connect(server) as s:
        s.sendall(request)
        s.shutdown(socket.SHUT_WR)
        return read_all(s)


def statuses(answer):
    return [int(x) for x in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


REFUSED = {
    "two lengths": (b"POST /v1/login HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400),
    "length and coding": (b"POST /v1/login HTTP/1.1\r\n" + HOST
                          + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "coding gzip": (b"POST /v1/login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n{}", 400),
    "space before the colon": (b"POST /v1/login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "length +2": (b"POST /v1/login HTTP/1.1\r\n" + HOST + b"Content-Length: +2\r\n\r\n{}", 400),
    "bare LF": (b"GET /healthz HTTP/1.1\nHost: a\n\n", 400),
    "obs-fold": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", 400),
    "two hosts": (b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + CLOSE, 400),
    "no host": (b"GET /healthz HTTP/1.1\r\n" + CLOSE, 400),
    "dot dot": (b"GET /assets/../../etc/passwd HTTP/1.1\r\n" + HOST + CLOSE, 400),
    "escaped dot dot": (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + HOST + CLOSE, 400),
    "escaped slash": (b"GET /..%2f..%2fetc/passwd HTTP/1.1\r\n" + HOST + CLOSE, 400),
    "NUL": (b"GET /healthz%00 HTTP/1.1\r\n" + HOST + CLOSE, 400),
    "unknown method": (b"FROB /healthz HTTP/1.1\r\n" + HOST + CLOSE, 501),
    "method not allowed": (b"DELETE /healthz HTTP/1.1\r\n" + HOST + CLOSE, 405),
    "long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + CLOSE, 414),
    "long head": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 17000 + b"\r\n" + CLOSE, 431),
    "HTTP/2": (b"GET /healthz HTTP/2.0\r\n" + HOST + CLOSE, 505),
    "not JSON": (b"POST /v1/login HTTP/1.1\r\n" + HOST + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415),
    "large": (b"POST /v1/login HTTP/1.1\r\n" + HOST
              + b"Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n", 413),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_a_problem(server, name):
    request, status = REFUSED[name]
    answer = talk(server, request)
    assert statuses(answer) == [status], answer
    head, body = answer.split(b"\r\n\r\n", 1)
    problem = json.loads(body)
    assert b"content-type: application/problem+json" in head
    assert problem["status"] == status
    assert problem["type"].startswith("/errors/")
    assert problem["request_id"].encode() in head


def test_nothing_is_served_behind_a_refused_request(server):
    for name, (request, status) in REFUSED.items():
        if status == 400:
            answer = talk(server, request + b"GET /healthz HTTP/1.1\r\n" + HOST + CLOSE)
            assert statuses(answer) == [400], name


def test_pipelined_requests_are_answered_in_order(server):
    paths = [b"/healthz", b"/v1/me", b"/nowhere.txt", b"/readyz"] * 25
    answer = talk(server, b"".join(b"GET " + p + b" HTTP/1.1\r\n" + HOST + b"\r\n" for p in paths))
    assert statuses(answer) == [200, 401, 404, 200] * 25


def test_every_answer_is_guarded(server):
    for path in ("/healthz", "/v1/me", "/v1/nowhere", "/openapi.json"):
        h = requests.get(server.url + path).headers
        assert h["X-Content-Type-Options"] == "nosniff"
        assert h["Referrer-Policy"] == "no-referrer"
        assert h["Cache-Control"] == "no-store"
        assert "default-src 'none'" in h["Content-Security-Policy"]
        assert h["Cross-Origin-Resource-Policy"] == "same-origin"
        assert re.fullmatch("[0-9a-f]{32}", h["X-Request-Id"])
        assert "Date" in h
        assert "Server" not in h
    r = requests.get(server.url + "/healthz", headers={"X-Request-Id": "my-request-1"})
    assert r.headers["X-Request-Id"] == "my-request-1"
    assert requests.get(server.url + "/v1/me").headers["WWW-Authenticate"] == "Bearer"


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_openapi_describes_itself_completely(server):
    document = requests.get(server.url + "/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    names = [op["operationId"] for methods in document["paths"].values() for op in methods.values()]
    assert len(names) == len(set(names))
    for reference in set(references(document)):
        place = document
        assert reference.startswith("#/"), reference
        for part in reference[2:].split("/"):
            assert part in place, f"{reference} leads nowhere"
            place = place[part]


def test_openapi_is_compressed_when_asked_for(server):
    plain = requests.get(server.url + "/openapi.json", headers={"Accept-Encoding": "identity"})
    small = requests.get(server.url + "/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == "accept-encoding"
    assert small.json() == plain.json()
    assert int(small.headers["Content-Length"]) * 3 < int(plain.headers["Content-Length"])


def test_metrics_count_what_was_asked(server):
    def count():
        found = re.search(r'^annotate_http_requests_total\{route="me",status="4xx"\} (\d+)$',
                          requests.get(server.url + "/metrics").text, re.M)
        return int(found[1]) if found else 0

    before = count()
    for _ in range(3):
        requests.get(server.url + "/v1/me")
    assert count() == before + 3


def test_slow_head_is_cut(start_server):
    server = start_server(header_deadline_ms=400)
    start = time.monotonic()
    with connect(server) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        answer = b""
        s.settimeout(0.05)
        while time.monotonic() - start < 5 and not answer:
            try:
                s.sendall(b"a")  # each byte is a sign of life, but no new deadline
                answer = s.recv(65536)
            except TimeoutError:
                pass
    assert statuses(answer) == [408]
    assert time.monotonic() - start < 2


def test_connection_cap_holds_and_frees(start_server):
    server = start_server(max_connections=4, threads=1)
    held = []
    for _ in range(4):
        s = connect(server)
        s.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert statuses(s.recv(65536)) == [200]
        held.append(s)
    with connect(server) as waiting:
        waiting.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + CLOSE)
        waiting.settimeout(0.3)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        held.pop().close()
        waiting.settimeout(5)
        assert statuses(read_all(waiting)) == [200]
    for s in held:
        s.close()


def test_broken_uploads_leave_nothing_behind(server, api):
    """Whatever the handler was doing when its client went away, it must end: else a drain waits for it in vain."""
    head = (b"POST /v1/assets HTTP/1.1\r\n" + HOST + b"Authorization: " + api("manager").headers["Authorization"].encode()
            + b"\r\nContent-Length: 9000000\r\n\r\n")
    for size in (0, 1, 100_000, 300_000, 600_000, 3_000_000) * 5:
        s = connect(server)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.sendall(head + b"x" * size)
        s.close()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        text = requests.get(server.url + "/metrics").text
        if re.search(r"^annotate_http_in_flight 1$", text, re.M):  # this one
            return
        time.sleep(0.05)
    pytest.fail(re.search(r"^annotate_http_in_flight .*$", text, re.M)[0])
