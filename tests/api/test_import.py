"""Importing tasks: forms, repeats, bad input at each place, and memory that does not grow with the file (I9)."""
import itertools
import json
import socket
import time

import pytest

import stand
from kit import BOXES, Desk, Line, people, problem, until
from stand import Office

ARRAY, LINES = "application/json", "application/x-ndjson"


@pytest.fixture
def desk(api):
    return Desk(api, tasks=0)


def send(desk, data, kind=ARRAY):
    return desk("manager").post(f"{desk.path}/tasks", data=data, headers={"Content-Type": kind})


def made(desk, data, kind=ARRAY):
    answer = send(desk, data, kind)
    assert answer.status_code == 201, answer.text
    return answer.json()


def stored(desk):
    return desk("viewer").ok("GET", f"{desk.path}/tasks?limit=500")["tasks"]


ITEMS = [{"image": "/a.png"}, {"data": {"image": "/b.png", "n": 1.50, "deep": {"ü": [1, 2, {"x": None}]}}, "meta": {"k": [1]}},
         {"data": {"image": "/c.png"}, "external_id": "c", "priority": 7}, {"data": {"image": "/d.png"}, "annotations": [], "predictions": []}]


@pytest.mark.parametrize("kind, text", [
    (ARRAY, json.dumps(ITEMS)), (ARRAY, json.dumps(ITEMS, indent=3, ensure_ascii=False)), (LINES, "\n".join(map(json.dumps, ITEMS))),
    (LINES, "\r\n\r\n".join(map(json.dumps, ITEMS)) + "\r\n \n"), (ARRAY, " \n[ " + " ,\t".join(map(json.dumps, ITEMS)) + "\n]\n "),
    (LINES, "".join(map(json.dumps, ITEMS)))], ids=["array", "indented", "lines", "CRLF and blanks", "blanks", "no newline between"])
def test_forms(desk, kind, text):
    answer = made(desk, text.encode(), kind)
    assert answer["created"] == 4 and answer["skipped"] == 0 and answer["last_id"] - answer["first_id"] >= 3
    tasks = stored(desk)
    assert [t["data"] for t in tasks] == [i.get("data", i) for i in ITEMS]
    assert [t["external_id"] for t in tasks] == [None, None, "c", None] and [t["priority"] for t in tasks] == [0, 0, 7, 0]
    assert desk.task(tasks[1]["id"])["meta"] == {"k": [1]} and desk.task(tasks[0]["id"])["meta"] is None


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_pieces_of_any_size(desk, size):
    data = json.dumps(ITEMS, ensure_ascii=False).encode()
    assert made(desk, (data[i:i + size] for i in range(0, len(data), size)))["created"] == 4
    assert [t["data"] for t in stored(desk)] == [i.get("data", i) for i in ITEMS]


@pytest.mark.parametrize("text", [b"[]", b" [ ] ", b"", b"\n\n", b"[\n]\n"])
def test_nothing(desk, text):
    assert made(desk, text) == {"created": 0, "skipped": 0, "first_id": None, "last_id": None}


def test_digits_are_kept(desk):
    text = '{"image":"/x","a":1.10,"b":1e2,"c":-0.0,"d":123456789012345.25}'
    made(desk, text.encode(), LINES)
    raw = desk("viewer").get(f"{desk.path}/tasks").text
    assert '"a":1.10' in raw and '"b":1e2' in raw and '"d":123456789012345.25' in raw


def test_an_external_id_is_taken_once(desk):
    items = [{"data": {"image": f"/{n}"}, "external_id": f"e{n}"} for n in range(5)]
    first = made(desk, json.dumps(items).encode())
    assert (first["created"], first["skipped"]) == (5, 0)
    again = made(desk, json.dumps(items + [{"data": {"image": "/n"}, "external_id": "new"}]).encode())
    assert (again["created"], again["skipped"]) == (1, 5)
    twice = made(desk, json.dumps([{"data": {"image": "/t"}, "external_id": "t"}] * 3).encode())
    assert (twice["created"], twice["skipped"]) == (1, 2)
    assert len(stored(desk)) == 7
    other = Desk(desk.api, tasks=0)
    assert made(other, json.dumps(items).encode())["created"] == 5  # unique in its project


BAD_ITEMS = {
    "no object": (b"7", 422, "/3"), "text": (b'"x"', 422, "/3"), "null": (b"null", 422, "/3"), "an array": (b"[]", 422, "/3"),
    "field missing": (b'{"data":{"picture":"x"}}', 422, "/3/data/image"), "bare field missing": (b'{"picture":"x"}', 422, "/3/data/image"),
    "data no object": (b'{"data":[]}', 422, "/3/data"), "unknown member": (b'{"data":{"image":"x"},"zz":1}', 422, "/3/zz"),
    "external_id no text": (b'{"data":{"image":"x"},"external_id":5}', 422, "/3/external_id"),
    "external_id empty": (b'{"data":{"image":"x"},"external_id":""}', 422, "/3/external_id"),
    "priority no number": (b'{"data":{"image":"x"},"priority":"1"}', 422, "/3/priority"),
    "priority too high": (b'{"data":{"image":"x"},"priority":1000001}', 422, "/3/priority"),
    "labels inside": (b'{"data":{"image":"x"},"annotations":[{}]}', 501, "/3/annotations"),
    "predictions inside": (b'{"data":{"image":"x"},"predictions":[{}]}', 501, "/3/predictions"),
    "duplicate key": (b'{"image":"x","image":"y"}', 400, "/3"), "NaN": (b'{"image":NaN}', 400, "/3"),
    "bad UTF-8": (b'{"image":"\xff"}', 400, "/3"), "lone surrogate": (b'{"image":"\\udc00"}', 400, "/3"),
    "NUL": (b'{"image":"\\u0000"}', 400, "/3"), "depth bomb": (b'{"image":' + b"[" * 70 + b"]" * 70 + b"}", 400, "/3"),
    "broken": (b'{"image":}', 400, "/3"), "word": (b"nil", 400, "/3"),
}


@pytest.mark.parametrize("kind", [ARRAY, LINES])
@pytest.mark.parametrize("what", BAD_ITEMS)
def test_a_bad_item_in_the_middle(desk, what, kind):
    bad, status, pointer = BAD_ITEMS[what]
    good = [json.dumps({"data": {"image": f"/{n}"}, "external_id": f"x{n}"}).encode() for n in range(6)]
    def text(items):
        return b"[" + b",".join(items) + b"]" if kind == ARRAY else b"\n".join(items)
    answer = problem(send(desk, text(good[:3] + [bad] + good[3:]), kind), status)
    assert answer["pointer"].startswith(pointer) and answer["item"] == 3, answer
    assert answer["created"] == len(stored(desk)) <= 3  # it says what is in already
    repaired = made(desk, text(good), kind)
    assert repaired["created"] + repaired["skipped"] == 6 and len(stored(desk)) == 6


BROKEN = {"no end": b'[{"image":"x"}', "no end of an item": b'[{"image":"x"', "after the end": b'[{"image":"x"}] {}', "two arrays": b"[][]",
          "missing comma": b'[{"image":"x"} {"image":"y"}]', "leading comma": b'[,{"image":"x"}]', "two commas": b'[{"image":"x"},,{"image":"y"}]',
          "trailing comma": b'[{"image":"x"},]', "colon": b"[:]", "closing only": b"]", "a string without an end": b'[{"image":"x',
          "comma in lines": b'{"image":"x"},{"image":"y"}', "half a number": b"[-", "byte order mark": b'\xef\xbb\xbf[{"image":"x"}]'}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_json(desk, what):
    answer = problem(send(desk, BROKEN[what]), 400, "bad-json")
    assert answer["created"] == len(stored(desk)) <= 1


def test_a_cut_at_every_byte(desk):
    """However the text is cut off: never a 201 but where what is left is whole, and never a crash."""
    text = b'[{"image":"\\u00e9\xc3\xa9","n":-1.5e3},{"data":{"image":""}}]'
    for end in range(1, len(text)):
        answer = send(desk, text[:end])
        assert answer.status_code == 400, (text[:end], answer.text)
    assert made(desk, text)["created"] == 2


def test_a_huge_item(desk):
    huge = b'[{"image":"/a","external_id":"x"},{"image":"' + b"x" * (9 << 20) + b'"}]'
    answer = problem(send(desk, (huge[i:i + 65536] for i in range(0, len(huge), 65536))), 413)
    assert answer["item"] == 1
    large = json.dumps([{"image": "x" * (6 << 20)}]).encode()
    assert made(desk, large)["created"] == 1


def test_fields_of_each_object_of_the_config(api):
    desk = Desk(api, tasks=0, label_config='<View><Text name="t" value="$text"/><Image name="i" value="$photo"/><Choices name="c" toName="t">'
                                           '<Choice value="x"/></Choices></View>')
    problem(send(desk, b'[{"text":"a"}]'), 422, "invalid", "/0/data/photo")
    problem(send(desk, b'[{"photo":"a"}]'), 422, "invalid", "/0/data/text")
    assert made(desk, b'[{"photo":"a","text":"b"}]')["created"] == 1


def test_priority_and_overlap_of_the_project(api):
    desk = Desk(api, tasks=0, workflow={"overlap": 3, "prelabel": True}, label_config=BOXES)
    made(desk, b'[{"image":"a"}]')
    task = desk.task(stored(desk)[0]["id"])
    assert task["state"] == "prelabel" and task["overlap"] == 3
    assert [(a["stage"], a["slot"], a["state"]) for a in task["assignments"]] == [("prelabel", 1, "open")]


def rss(server):
    """Resident memory of a server, MB."""
    with open(f"/proc/{server.proc.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def test_memory_does_not_grow_with_the_file(start_server, monkeypatch, db):
    """20,000 tasks, 40 MB in one request."""
    monkeypatch.setitem(stand.ENVIRONMENT, "ASAN_OPTIONS", stand.ENVIRONMENT["ASAN_OPTIONS"] + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=16")
    server = start_server()
    desk = Desk(Office(server), tasks=0)

    def stream(count):
        pad = "p" * 2000
        yield b"["
        for n in range(count):
            yield (b"," if n else b"") + json.dumps({"image": f"/{n}.png", "pad": pad}).encode()
        yield b"]"

    made(desk, stream(3000))  # what is allocated once
    before, peak = rss(server), 0.0
    def watched():
        nonlocal peak
        for n, piece in enumerate(stream(20000)):
            if n % 1000 == 0:
                peak = max(peak, rss(server))
            yield piece
    assert made(desk, watched())["created"] == 20000
    peak = max(peak, rss(server))
    assert peak - before < 30, f"{before} MB before, {peak} MB at the most"
    assert db.execute("SELECT count(*) FROM task WHERE project_id = %s", (desk.project,)).fetchone() == (23000,)
    assert server.crash() == ""


def test_the_client_breaks_off(db, server, api):
    desk = Desk(api, tasks=0)
    (_, token), = people(db, server, api, desk.project, 1, role="manager")
    items = [json.dumps({"data": {"image": f"/{n}", "pad": "x" * 500}, "external_id": f"b{n}"}).encode() for n in range(6000)]
    whole = b"[" + b",".join(items) + b"]"
    for end, reset in itertools.product((10, 100_000, 2_500_000), (False, True)):
        line = Line(server, token)
        line.socket.sendall(f"POST {desk.path}/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(whole)}\r\n\r\n".encode() + whole[:end])
        time.sleep(0.1)
        if reset:
            line.reset()
        else:
            line.socket.shutdown(socket.SHUT_RDWR)
            line.close()
    until(lambda: db.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'annotate_api' AND state = 'active'").fetchone()[0] == 0)
    count = len(stored(desk))
    answer = made(desk, whole)
    assert answer["created"] + answer["skipped"] == 6000 and answer["skipped"] >= count
    assert db.execute("SELECT count(*), count(DISTINCT external_id) FROM task WHERE project_id = %s", (desk.project,)).fetchone() == (6000, 6000)


def test_two_imports_of_the_same_at_once(db, server, api):
    desk = Desk(api, tasks=0)
    lines = [Line(server, token) for _, token in people(db, server, api, desk.project, 4, role="manager")]
    items = [{"data": {"image": f"/{n}"}, "external_id": f"s{n}"} for n in range(1500)]
    for line in lines:
        line.send("POST", f"{desk.path}/tasks", items)
    answers = [line.answer() for line in lines]
    assert {status for status, _ in answers} == {201}, answers
    assert sum(body["created"] for _, body in answers) == 1500 == desk.progress()["tasks"]["annotate"]
