"""Importing tasks: forms, repeats, bad input at each place, and memory that does not grow with the file (I9)."""
import concurrent.futures
import itertools
import json
import socket
import threading
import time

import pytest
import requests

import stand
from kit import BOXES, Desk, Line, box, broken_rules, choice, people, problem, until
from stand import Office

ARRAY, LINES = "application/json", "application/x-ndjson"


@pytest.fixture
def desk(api):
    return Desk(api, tasks=0)


def send(desk, data, kind=ARRAY, errors=None):
    return desk("manager").post(f"{desk.path}/tasks" + (f"?errors={errors}" if errors else ""), data=data, headers={"Content-Type": kind})


def made(desk, data, kind=ARRAY, errors=None):
    answer = send(desk, data, kind, errors)
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
    answer = made(desk, text)
    assert answer | {"id": 1} == {"id": 1, "created": 0, "skipped": 0, "failed": 0, "labels": 0, "cancelled": 0, "first_id": None,
                                  "last_id": None, "errors": []}


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
    "no result": (b'{"data":{"image":"x"},"annotations":[{}]}', 422, "/3/annotations/0/result"),
    "no prediction": (b'{"data":{"image":"x"},"predictions":[1,"x"]}', 422, "/3/predictions/1"),
    "annotations no list": (b'{"data":{"image":"x"},"annotations":5}', 422, "/3/annotations"),
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
    whole = text(good[:3] + [bad] + good[3:])
    answer = problem(send(desk, whole, kind), status)  # refuse: nothing is in
    assert answer["pointer"].startswith(pointer) and answer["item"] == 3 and answer["line"] == (1 if kind == ARRAY else 4), answer
    assert answer["created"] == 0 == len(stored(desk)) and answer["failed"] == 1
    assert answer["errors"] == [{"item": 3, "line": answer["line"], "error": answer["type"].rpartition("/")[2], "pointer": answer["pointer"],
                                 "detail": answer["detail"].removeprefix("item 3: ")}]
    stopped = problem(send(desk, whole, kind, "stop"), status)  # stop: what came before may be in, and it says so
    assert stopped["pointer"] == answer["pointer"] and stopped["created"] == len(stored(desk)) <= 3
    again = send(desk, whole, kind, "skip")
    if kind == ARRAY and status == 400:  # where an array's bad text ends, nobody knows
        assert problem(again, status)["created"] == len(stored(desk)) - stopped["created"] <= 3
    else:
        assert again.status_code == 201, again.text
        assert again.json()["errors"] == answer["errors"] and again.json()["failed"] == 1
        assert again.json()["created"] + again.json()["skipped"] == 6 == len(stored(desk))
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
    until(lambda: db.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'annotate_api' AND state = 'active' AND datname = current_database()").fetchone()[0] == 0)
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


# ---- what becomes of bad items ----

def test_an_unknown_mode(desk):
    problem(send(desk, b"[]", errors="maybe"), 422, "invalid", "/errors")


def test_the_first_hundred_bad_items_are_named(desk):
    lines = [json.dumps({"image": f"/{n}"} if n % 2 else {"picture": n}) for n in range(400)]
    answer = made(desk, "\n".join(lines).encode(), LINES, "skip")
    assert (answer["created"], answer["failed"], len(answer["errors"])) == (200, 200, 100)
    assert [(e["item"], e["line"], e["pointer"]) for e in answer["errors"]] == [(n, n + 1, f"/{n}/data/image") for n in range(0, 200, 2)]
    assert [t["data"]["image"] for t in stored(desk)] == [f"/{n}" for n in range(1, 400, 2)]
    refused = problem(send(desk, "\n".join(lines).encode(), LINES), 422, "invalid", "/0/data/image")
    assert refused["errors"] == answer["errors"] and refused["failed"] == 200 and len(stored(desk)) == 200


def test_lines_that_are_no_json_are_stepped_over(desk):
    lines = [b'{"image":"a"}', b'{"image":"b"', b'{"image":"c"}', b"]", b'{"image":"' + b"x" * (9 << 20) + b'"}', b"\xff\xfe", b'{"image":"d"} tail',
             b'{"image":"e"}', b'{"image":"f"']
    answer = made(desk, b"\n".join(lines), LINES, "skip")
    assert [e["line"] for e in answer["errors"]] == [2, 4, 5, 6, 7, 9] and answer["failed"] == 6
    assert [e["error"] for e in answer["errors"]] == ["bad-json", "bad-json", "too-large", "bad-json", "bad-json", "bad-json"]
    assert [t["data"]["image"] for t in stored(desk)] == ["a", "c", "d", "e"]


def test_refusing_leaves_nothing_however_late_the_bad_item(desk, db):
    items = [{"image": f"/{n}", "pad": "x" * 300} for n in range(12000)]
    text = "\n".join(map(json.dumps, items + [{"nothing": 1}])).encode()
    answer = problem(send(desk, text, LINES), 422, "invalid", "/12000/data/image")
    assert answer["line"] == 12001 and answer["created"] == 0
    assert db.execute("SELECT count(*) FROM task WHERE project_id = %s", (desk.project,)).fetchone() == (0,)
    assert made(desk, text.rpartition(b"\n")[0], LINES)["created"] == 12000
    assert problem(send(desk, text, LINES, "stop"), 422)["created"] >= 11000


# ---- the row of an import ----

def imports(desk, query=""):
    return desk("viewer").ok("GET", f"{desk.path}/imports{query}")


def test_imports_are_listed(desk):
    good = json.dumps([{"data": {"image": "/a"}, "external_id": "a"}, {"image": "/b"}]).encode()
    first = made(desk, good)["id"]
    second = made(desk, good, errors="stop")["id"]
    bad = problem(send(desk, b'[{"image":"/c"},{"x":1}]'), 422)["import"]
    mixed = made(desk, b'{"image":"/c"}\n{"x":1}\n', LINES, "skip")["id"]
    rows = imports(desk)["imports"]
    assert [(r["id"], r["state"], r["errors"], r["seen"], r["created"], r["skipped"], r["failed"]) for r in rows] == [
        (mixed, "done", "skip", 2, 1, 0, 1), (bad, "failed", "refuse", 2, 0, 0, 1), (second, "done", "stop", 2, 1, 1, 0),
        (first, "done", "refuse", 2, 2, 0, 0)]
    assert rows[1]["error"] == "item 1: the label config shows this field, and it is missing" and rows[2]["error"] is None
    assert all(r["ended_at"] >= r["started_at"] and r["created_by"] == desk("manager").user["id"] for r in rows)
    assert rows[0]["bytes"] == len(b'{"image":"/c"}\n{"x":1}\n')
    page = imports(desk, "?limit=3")
    assert [r["id"] for r in page["imports"]] == [mixed, bad, second] and page["next"] == second
    assert [r["id"] for r in imports(desk, f"?after={second}&limit=3")["imports"]] == [first]


def test_progress_while_it_runs(desk):
    seen = []
    def watched(count):
        for n in range(count):
            yield json.dumps({"image": f"/{n}", "pad": "x" * 1000}).encode() + b"\n"
            if n % 2500 == 2499:
                until(lambda: any(r["created"] >= n - 1999 for r in imports(desk)["imports"]))
                seen.append(imports(desk)["imports"][0])
    answer = made(desk, watched(7500), LINES, "skip")
    assert [r["state"] for r in seen] == ["running"] * 3 and seen[0]["id"] == answer["id"] and seen[0]["ended_at"] is None
    assert 0 < seen[0]["created"] < seen[1]["created"] < seen[2]["created"] <= 7500 == answer["created"]
    assert imports(desk)["imports"][0]["state"] == "done"


def test_an_import_makes_way_for_people(db, server, api):
    """Alone it goes in large chunks; while people work in small ones, with rests; and it never stops."""
    desk, stop = Desk(api, tasks=0), threading.Event()
    data = b"".join(json.dumps({"image": f"/{n}"}).encode() + b"\n" for n in range(8000))
    lines = [Line(server, token) for _, token in people(db, server, api, desk.project, 4, role="viewer")]

    def look(line):
        while not stop.is_set():
            line.send("GET", f"{desk.path}/tasks?limit=1")
            assert line.answer()[0] == 200

    def chunks(answer):
        return db.execute("SELECT count(DISTINCT xid) FROM event WHERE task_id BETWEEN %s AND %s", (answer["first_id"], answer["last_id"])).fetchone()[0]

    alone = made(desk, data, LINES, "stop")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        looking = [pool.submit(look, line) for line in lines]
        try:
            beside = made(desk, data, LINES, "stop")
        finally:
            stop.set()
        for each in looking:
            each.result()
    assert alone["created"] == beside["created"] == 8000
    assert chunks(alone) <= 5 and 2 * chunks(alone) <= chunks(beside) <= 45


def test_an_import_that_breaks_off_says_so(db, server, api):
    desk = Desk(api, tasks=0)
    (_, token), = people(db, server, api, desk.project, 1, role="manager")
    line = Line(server, token)
    line.socket.sendall(f"POST {desk.path}/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n".encode()
                        + b'[{"image":"/a"},')
    until(lambda: imports(desk)["imports"])
    line.reset()
    until(lambda: imports(desk)["imports"][0]["state"] == "failed")
    assert imports(desk)["imports"][0]["error"].endswith("the client went away") and stored(desk) == []


# ---- labels inside ----

def labelled(n=0, **members):
    return {"data": {"image": f"/{n}"}, **members}


def test_annotations_become_versions(desk):
    person = desk("annotator").user["id"]
    item = labelled(annotations=[
        {"result": choice("cat"), "completed_by": person, "lead_time": 1.5, "id": 7, "unique_id": "x"},
        {"result": choice("dog"), "completed_by": {"email": "ANNOTATOR2@a.example", "id": 1, "first_name": "A"}, "lead_time": None},
        {"result": choice("dog"), "was_cancelled": True},
        {"result": choice("cat"), "completed_by": 999999}])
    answer = made(desk, json.dumps([item, labelled(1)]).encode())
    assert (answer["created"], answer["labels"], answer["cancelled"]) == (2, 3, 1)
    task = desk.task(answer["first_id"])
    labels = desk.labels(task["id"])
    assert [(l["seq"], l["kind"], l["author"], l["model"], l["lead_time"]) for l in labels] == [
        (1, "import", person, None, 1.5), (2, "import", desk("annotator2").user["id"], None, None), (3, "import", None, None, None)]
    assert task["state"] == "annotate" and task["version"] == 1 and task["head_label"] == labels[-1]["id"]
    assert [desk.result(l["id"])[0]["value"]["choices"] for l in labels] == [["cat"], ["dog"], ["cat"]]
    assert [(e["action"], e["label"]) for e in desk.events(task["id"])] == [("import", task["head_label"])]
    assert desk.progress()["labels"]["import"] == 3 and desk.task(answer["last_id"])["head_label"] is None
    work = desk.claim("annotator")
    assert work["task"]["id"] == task["id"] and work["label"]["kind"] == "import"
    done = desk.submit("annotator", work, "dog")
    assert done["label"]["seq"] == 4 and desk.state(task["id"]) == "review"


def test_the_truth_is_the_head(desk):
    answer = made(desk, json.dumps([labelled(annotations=[{"result": choice("cat"), "ground_truth": True}, {"result": choice("dog")}])]).encode())
    assert desk.task(answer["first_id"])["head_label"] == desk.labels(answer["first_id"])[0]["id"]


def test_predictions_become_prelabels(desk):
    no_id = [{k: v for k, v in choice("dog")[0].items() if k != "id"}]
    answer = made(desk, json.dumps([labelled(predictions=[
        {"result": choice("cat"), "model_version": "m@1", "score": 0.25, "cluster": None}, {"result": no_id}, 5])]).encode())
    labels = desk.labels(answer["first_id"])
    assert [(l["kind"], l["model"], l["score"], l["author"]) for l in labels] == [("prelabel", "m@1", 0.25, None), ("prelabel", "unknown", None, None)]
    assert desk.task(answer["first_id"])["head_label"] is None and desk.progress()["labels"]["prelabel"] == 2
    work = desk.claim("annotator")
    assert work["label"] is None and {p["model"] for p in work["predictions"]} == {"m@1", "unknown"}
    assert all(p["result"][0]["id"] for p in work["predictions"])


def test_predictions_in_shorthand(api):
    desk = Desk(api, tasks=0, label_config='<View><Image name="image" value="$image"/><Choices name="kind" toName="image"><Choice value="cat"/></Choices>'
                                           '<Rating name="stars" toName="image"/><RectangleLabels name="box" toName="image"><Label value="shoe"/>'
                                           '</RectangleLabels></View>')
    shorts = {"kind": "cat", "stars": 4, "box": box()[0]["value"]}
    answer = made(desk, json.dumps([labelled(predictions=[{"result": r} for r in shorts.values()] + [{"result": {"choices": ["cat"]}}])]).encode())
    items = [desk.result(l["id"])[0] for l in desk.labels(answer["first_id"])]
    assert [i["from_name"] for i in items] == [*shorts, "kind"] and {i["to_name"] for i in items} == {"image"}
    assert [i["value"] for i in items] == [{"choices": ["cat"]}, {"rating": 4}, shorts["box"], {"choices": ["cat"]}]
    for bad in ("horse", 4.5, None, {"brush": 1}):
        assert problem(send(desk, json.dumps([labelled(predictions=[{"result": bad}])]).encode()), 422)["pointer"].startswith("/0/predictions/0/result")


def test_an_export_of_label_studio(desk):
    item = {"id": 1, "data": {"image": "/x"}, "meta": {}, "created_at": "2026-01-01T00:00:00.000000Z", "updated_at": "x", "inner_id": 1,
            "total_annotations": 1, "cancelled_annotations": 0, "total_predictions": 1, "comment_count": 0, "unresolved_comment_count": 0,
            "last_comment_updated_at": None, "comment_authors": [], "project": 5, "updated_by": 7, "file_upload": None, "allow_skip": True,
            "annotations": [{"id": 11, "completed_by": 7, "result": choice("cat"), "was_cancelled": False, "ground_truth": False, "created_at": "x",
                             "updated_at": "x", "draft_created_at": None, "lead_time": 12.345, "prediction": {}, "result_count": 1,
                             "unique_id": "8c2b", "import_id": None, "last_action": None, "bulk_created": False, "task": 1, "project": 5,
                             "updated_by": 7, "parent_prediction": None, "parent_annotation": None, "last_created_by": None}],
            "drafts": [], "predictions": [1, {"id": 3, "result": choice("dog"), "score": None, "model_version": None, "task": 1}]}
    answer = made(desk, json.dumps([item]).encode())
    assert answer["labels"] == 2 and [l["kind"] for l in desk.labels(answer["first_id"])] == ["prelabel", "import"]


BAD_LABELS = {
    "not a label": ({"annotations": [{"result": choice("horse")}]}, "/0/annotations/0/result/0/value/choices"),
    "second": ({"annotations": [{"result": choice("cat")}, {"result": [5]}]}, "/0/annotations/1/result/0"),
    "result no list": ({"annotations": [{"result": {}}]}, "/0/annotations/0/result"),
    "author": ({"annotations": [{"result": [], "completed_by": "me"}]}, "/0/annotations/0/completed_by"),
    "author's address": ({"annotations": [{"result": [], "completed_by": {"email": 5}}]}, "/0/annotations/0/completed_by/email"),
    "lead_time": ({"annotations": [{"result": [], "lead_time": -1}]}, "/0/annotations/0/lead_time"),
    "score": ({"predictions": [{"result": [], "score": 2}]}, "/0/predictions/0/score"),
    "model": ({"predictions": [{"result": [], "model_version": 1}]}, "/0/predictions/0/model_version"),
    "too many": ({"predictions": [{"result": []}] * 1001}, "/0/predictions"),
    "after good labels": ({"annotations": [{"result": choice("cat")}], "external_id": ""}, "/0/external_id"),
}


@pytest.mark.parametrize("what", BAD_LABELS)
def test_bad_labels(desk, what):
    members, pointer = BAD_LABELS[what]
    good = labelled(1, annotations=[{"result": choice("dog")}])
    text = json.dumps([labelled(**members), good]).encode()
    assert problem(send(desk, text), 422)["pointer"].startswith(pointer)
    answer = made(desk, text, errors="skip")
    assert (answer["created"], answer["labels"], answer["failed"], answer["cancelled"]) == (1, 1, 1, 0)
    label, = desk.labels(answer["first_id"])
    assert desk.result(label["id"]) == choice("dog")


def test_labels_of_many_tasks_stay_with_their_own(desk, db, server):
    """Across chunks, between tasks without labels, and beside repeated external ids, whose labels are not taken again."""
    def item(n):
        labels = [{"result": [{**choice("cat" if n % 2 else "dog")[0], "id": f"t{n}"}]}] * (n % 3)
        return {"data": {"image": f"/{n}"}, "annotations": labels} | ({"external_id": f"e{n // 2}"} if n % 5 == 0 else {})
    items = [item(n) for n in range(3000)]
    answer = made(desk, json.dumps(items + items[:50]).encode())
    named = {i["external_id"] for i in items if "external_id" in i}
    assert answer["skipped"] == 10 and answer["created"] == 3040 and len(named) == 600
    assert answer["labels"] == sum(n % 3 for n in range(3000)) + sum(n % 3 for n in range(50) if n % 5)
    for task in desk("viewer").ok("GET", f"{desk.path}/tasks?limit=500&after={answer['first_id'] + 900}")["tasks"][::50]:
        n = int(task["data"]["image"][1:])
        labels = desk.labels(task["id"])
        assert len(labels) == n % 3 and all(desk.result(l["id"])[0]["id"] == f"t{n}" for l in labels)
    assert broken_rules(db, server.directory / "blobs") == []


def test_text_offsets_are_held_against_the_task(api):
    desk = Desk(api, tasks=0, label_config='<View><Text name="t" value="$text"/><Labels name="l" toName="t"><Label value="A"/></Labels></View>')
    def item(end):
        return json.dumps([{"data": {"text": "\u00e9\U0001f600x"}, "predictions": [{"result": [
            {"id": "a", "from_name": "l", "to_name": "t", "type": "labels", "value": {"start": 0, "end": end, "labels": ["A"]}}]}]}]).encode()
    assert made(desk, item(3))["labels"] == 1
    assert problem(send(desk, item(4)), 422)["pointer"].startswith("/0/predictions/0/result/0/value")


def test_labels_with_a_prelabel_stage(api):
    desk = Desk(api, tasks=0, workflow={"prelabel": True})
    answer = made(desk, json.dumps([labelled(annotations=[{"result": choice("cat")}])]).encode())
    task = desk.task(answer["first_id"])
    assert task["state"] == "prelabel" and task["head_label"]


def test_dying_between_the_pack_and_the_rows(server, start_server, db, monkeypatch):
    """I6: whatever is there has its documents; the same file again completes it, from an external id on."""
    blobs = server.directory / "blobs"
    server = start_server(blobs=server.blobs)
    desk = Desk(Office(server), tasks=0)
    items = [labelled(n, external_id=f"d{n}", annotations=[{"result": choice("cat")}]) for n in range(2500)]
    text = "\n".join(map(json.dumps, items)).encode()
    monkeypatch.setitem(stand.ENVIRONMENT, "ANNOTATE_FAULT", "import.packed:2:kill")
    server.kill()
    server.start()
    with pytest.raises(requests.exceptions.ConnectionError):
        send(desk, text, LINES)
    monkeypatch.delitem(stand.ENVIRONMENT, "ANNOTATE_FAULT")
    server.proc.wait()
    server.start()
    row, = imports(desk)["imports"]
    count = db.execute("SELECT count(*), count(head_label) FROM task WHERE project_id = %s", (desk.project,)).fetchone()
    assert count == (row["created"], row["labels"]) == (2000, 2000) and row["state"] == "running" and row["ended_at"] is None
    assert broken_rules(db, blobs) == []
    again = made(desk, text, LINES)
    assert (again["created"], again["skipped"], again["labels"]) == (500, 2000, 500)
    assert broken_rules(db, blobs) == []
