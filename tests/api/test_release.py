"""Releases: what is done, frozen under a root hash, and its exports: the same bytes every time, and Label Studio's own shape."""
import hashlib
import io
import json
import subprocess
import time
import zipfile

import pytest
import requests

import stand
from kit import BOXES, Desk, Line, box, choice, people, problem, until
from release_env import export, finish, release


@pytest.fixture(scope="module")
def builder(cluster, server):
    """annotate-export, running beside the server."""
    proc = subprocess.Popen([stand.BIN / "annotate-export", "--db-worker", cluster.conninfo(server.database, "annotate_worker"),
                             "--blobs", f"fs:{server.directory}/blobs", "--poll-ms", "20"], env=stand.ENVIRONMENT,
                            stderr=subprocess.PIPE, text=True)
    yield proc
    proc.terminate()
    text = proc.communicate(timeout=20)[1]
    assert not stand.CRASH.search(text), text
    assert proc.returncode == 0, text


@pytest.fixture(scope="module")
def shop(api, builder):
    """A project with 12 tasks in all states: 8 done, one of them fixed, one archived after it was done."""
    desk = Desk(api, tasks=0, label_config=BOXES)
    sha = desk("annotator").ok("POST", "/v1/assets", 201, data=b"an image")["sha256"]
    made = api.tasks(desk.project, [{"data": {"image": f"/v1/assets/{sha}", "n": n}, "external_id": f"e{n}", "meta": {"lot": n % 3}} for n in range(12)])
    desk.tasks = list(range(made["first_id"], made["last_id"] + 1))
    for work in desk.claims("annotator", count=10):
        desk.submit("annotator", work, box(x=work["task"]["data"]["n"]), lead_time=work["task"]["data"]["n"] + 0.5)
    for work in sorted(desk.claims("reviewer", "review", count=9), key=lambda w: w["task"]["id"]):
        if work["task"]["data"]["n"] == 2:
            desk.verdict("reviewer", work, "fix", result=box("bag"))
        else:
            desk.verdict("reviewer", work, "accept")
    done = [t for t in desk.tasks if desk.state(t) == "done"]
    assert len(done) == 9
    desk.move("archive", done[-1])
    desk.done_tasks, desk.sha = done[:-1], sha
    return desk


def test_what_is_in_a_release(shop):
    built = release(shop, "all")
    assert (built["state"], built["items"], built["error"]) == ("ready", 8, None)
    assert sum(built["splits"].values()) == 8 and set(built["splits"]) == {"train", "val", "test"}
    lines = [json.loads(line) for line in export(shop, built).splitlines()]
    assert [line["task"] for line in lines] == shop.done_tasks
    for line in lines:
        task = shop.task(line["task"])
        assert line["data"] == task["data"] and line["meta"] == task["meta"] and line["external_id"] == task["external_id"]
        assert line["label"]["id"] == task["head_label"] and line["label"]["result"] == shop.result(task["head_label"])
        text = json.dumps(line["label"]["result"], sort_keys=True, separators=(",", ":")).replace(".0,", ",").replace(".0}", "}")
        assert line["label"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    fixed = [line for line in lines if line["label"]["kind"] == "review_fix"]
    assert [line["data"]["n"] for line in fixed] == [2] and fixed[0]["label"]["author"] == shop("reviewer").user["id"]
    assert {split: sum(line["split"] == split for line in lines) for split in built["splits"]} == built["splits"]
    assert shop("viewer").ok("GET", f"{shop.path}/releases")["releases"][0]["id"] == built["id"]


def merkle(hashes):
    """RFC 6962, by its recursive definition."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + merkle(hashes[:k]) + merkle(hashes[k:])).digest()


def key_of(line):
    """The key of an exported task, format 2 (docs/stream.md)."""
    known = line["external_id"]
    return f"#{line['task']}" if known is None else f"#{known}" if known.startswith("#") else known


def root_of(lines, assets=()):
    """The root over {key: exported line}."""
    buckets = [[] for _ in range(4096)]
    for key, line in sorted(lines.items(), key=lambda pair: pair[0].encode()):
        item = {"a": list(assets), "k": key, "l": line["label"]["sha256"], "lv": line["label"]["id"], "s": line["split"]}
        text = json.dumps(item, sort_keys=True, separators=(",", ":")).encode()
        place = hashlib.sha256(key.encode()).digest()
        buckets[place[0] << 4 | place[1] >> 4].append(hashlib.sha256(b"\0" + text).digest())
    return merkle([merkle(b) for b in buckets]).hex()


def test_the_root_can_be_computed_from_the_export(shop):
    built = release(shop, "root")
    lines = [json.loads(line) for line in export(shop, built).splitlines()]
    assert built["root"] == root_of({key_of(line): line for line in lines}, [shop.sha])


def test_the_same_content_has_the_same_root_and_bytes(shop):
    one, two = release(shop, "same 1", salt="s"), release(shop, "same 2", salt="s")
    assert one["root"] == two["root"] and one["id"] != two["id"]
    assert export(shop, one) == export(shop, two) == export(shop, one)
    other = release(shop, "same 3", salt="another", split={"a": 0.5, "b": 0.5})
    assert other["root"] != one["root"] and set(other["splits"]) == {"a", "b"}


def test_a_release_never_changes(api, builder, db):
    desk = Desk(api, tasks=4, workflow={"review": {"mode": "none"}})
    finish(desk, 3)
    built = release(desk)
    before = export(desk, built)
    finish(desk, 1)
    first = json.loads(before.splitlines()[0])["task"]
    desk.move("reopen", first)
    desk.submit("annotator", desk.claim("annotator"), "dog")
    desk.verdict("reviewer", desk.claim("reviewer", "review"), "accept")
    assert export(desk, built) == before
    assert release(desk, "r2")["items"] == 4
    for sql in ("UPDATE release SET items = 9 WHERE id = %s", "DELETE FROM release WHERE id = %s"):
        with pytest.raises(Exception, match="cannot change"):
            db.execute(sql, (built["id"],))


def unpacked(data):
    """All that the files of a zip hold."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return b"\n".join(z.read(name) for name in z.namelist())


def test_another_label_config_changes_no_export(shop, db):
    """Formats draw their classes from the config that the release was built under; the next release has the new one."""
    kinds = ("coco", "yolo", "cvat")
    built = release(shop, "under the first")
    before = {kind: export(shop, built, kind) for kind in kinds}
    kept = shop("viewer").ok("POST", f"/v1/releases/{built['id']}/exports", 202, json={"format": "coco", "container": "zip"})
    version = shop("manager").ok("GET", shop.path)["version"]
    more = BOXES.replace('<Label value="shoe"/>', '<Label value="hat"/><Label value="shoe"/>')
    shop("manager").ok("POST", f"{shop.path}/label-configs", 201, json={"label_config": more}, version=version)
    assert {kind: export(shop, built, kind) for kind in kinds} == before
    until(lambda: shop("viewer").ok("GET", f"/v1/exports/{kept['id']}")["state"] == "done", 20, "it does not end")
    db.execute("UPDATE export_job SET state = 'waiting', expires_at = NULL WHERE id = %s", (kept["id"],))  # is made once more
    until(lambda: shop("viewer").ok("GET", f"/v1/exports/{kept['id']}")["state"] == "done", 20, "it does not end")
    assert shop("viewer").get(f"/v1/exports/{kept['id']}/content").content == before["coco"]
    after = release(shop, "under the second")
    for kind in kinds:
        assert b"hat" not in unpacked(before[kind]) and b"hat" in unpacked(export(shop, after, kind))


def test_names_are_taken_once(shop):
    release(shop, "taken")
    problem(shop("manager").post(f"{shop.path}/releases", json={"name": "taken"}), 409, "already-exists", "/name")


def test_an_empty_release(api, builder):
    desk = Desk(api)
    built = release(desk)
    assert built["items"] == 0 and built["root"] == merkle([merkle([])] * 4096).hex()
    assert export(desk, built) == b"" and json.loads(export(desk, built, "label-studio")) == []


def test_what_is_not_ready_is_not_exported(cluster, api, db):
    desk = Desk(api)
    row = db.execute("""INSERT INTO release (tenant_id, project_id, name, state, split, salt, created_by)
        SELECT tenant_id, id, 'failed', 'failed', '{}', '', created_by FROM project WHERE id = %s RETURNING id""", (desk.project,)).fetchone()
    problem(desk("manager").get(f"/v1/releases/{row[0]}/export"), 409)
    problem(desk("manager").get(f"/v1/releases/{row[0]}/export?format=xls"), 422)


TASK_KEYS = {"id", "data", "meta", "created_at", "updated_at", "inner_id", "total_annotations", "cancelled_annotations", "total_predictions",
             "comment_count", "unresolved_comment_count", "last_comment_updated_at", "project", "updated_by", "file_upload",
             "comment_authors", "annotations", "drafts", "predictions"}
ANNOTATION_KEYS = {"id", "completed_by", "result", "was_cancelled", "ground_truth", "created_at", "updated_at", "draft_created_at", "lead_time",
                   "prediction", "result_count", "unique_id", "import_id", "last_action", "bulk_created", "task", "project", "updated_by",
                   "parent_prediction", "parent_annotation", "last_created_by"}


def test_label_studio_shape(shop):
    tasks = json.loads(export(shop, release(shop, "for label studio"), "label-studio"))
    assert [t["id"] for t in tasks] == shop.done_tasks and [t["inner_id"] for t in tasks] == list(range(1, 9))
    for task in tasks:
        assert TASK_KEYS <= set(task)
        annotation, = task["annotations"]
        assert ANNOTATION_KEYS <= set(annotation)
        assert annotation["result"] == shop.result(annotation["id"]) and annotation["completed_by"] in (
            shop("annotator").user["id"], shop("reviewer").user["id"])
        assert annotation["task"] == task["id"] and annotation["project"] == task["project"] == shop.project
        assert task["total_annotations"] == 1 and annotation["result_count"] == 1
    fixed = next(t["annotations"][0] for t in tasks if t["data"]["n"] == 2)
    assert fixed["last_action"] == "fixed_and_accepted"


def test_label_studios_own_converter_reads_it(shop, tmp_path):
    from label_studio_sdk import converter  # here: it takes seconds to load
    path = tmp_path / "export.json"
    path.write_bytes(export(shop, release(shop, "for the converter"), "label-studio"))
    reader = converter.Converter(config=BOXES, project_dir=str(tmp_path), download_resources=False)
    reader.convert_to_json_min(str(path), str(tmp_path / "min"), is_dir=False)
    rows = json.loads((tmp_path / "min/result.json").read_text())
    assert [row["id"] for row in rows] == shop.done_tasks
    assert [row["box"][0]["rectanglelabels"] for row in rows if row["n"] == 2] == [["bag"]]


def test_an_exported_task_can_be_imported_again(shop, api):
    tasks = json.loads(export(shop, release(shop, "to take back"), "label-studio"))
    other = Desk(api, tasks=0, label_config=BOXES)
    made = api.tasks(other.project, [{"data": t["data"], "meta": t["meta"]} for t in tasks])
    assert made["created"] == 8


@pytest.mark.parametrize("kind", ["jsonl", "label-studio"])
def test_a_large_export_and_a_slow_reader(db, server, api, builder, kind):
    """More than the socket takes at once; every page comes, in order. And one that goes away in the middle harms nobody."""
    desk = Desk(api, tasks=450, workflow={"review": {"mode": "none"}})
    line = Line(server, people(db, server, api, desk.project, 1)[0][1])
    for work in (line.call("POST", f"{desk.path}/claims", {"stage": "annotate", "count": 256})[1]["assignments"]
                 + line.call("POST", f"{desk.path}/claims", {"stage": "annotate", "count": 256, "more": True})[1]["assignments"]):
        status, _ = line.call("POST", f"/v1/assignments/{work['id']}/submit", {"result": choice("cat")}, work["version"])
        assert status == 200
    line.close()
    built = release(desk)
    assert built["items"] == 450
    for _ in range(3):
        gone = desk("manager").get(f"/v1/releases/{built['id']}/export?format={kind}", stream=True)
        next(gone.iter_content(1000))
        gone.close()
    slow, parts = desk("manager").get(f"/v1/releases/{built['id']}/export?format={kind}", stream=True), []
    for n, part in enumerate(slow.iter_content(20000)):
        parts.append(part)
        if n < 10:
            time.sleep(0.02)
    data = b"".join(parts)
    ids = [t["task"] for t in map(json.loads, data.splitlines())] if kind == "jsonl" else [t["id"] for t in json.loads(data)]
    assert ids == desk.tasks and len(ids) == 450
    db.execute("DELETE FROM release_item WHERE release_id = %s AND task_id = %s", (built["id"], desk.tasks[-1]))  # it is being deleted
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        desk("manager").get(f"/v1/releases/{built['id']}/export?format={kind}")


def test_an_external_id_may_be_another_tasks_number(api, builder):
    """Keys tell them apart: a number has '#' before it, an external id that begins so has one more."""
    desk = Desk(api, tasks=3, workflow={"review": {"mode": "none"}})
    made = api.tasks(desk.project, [{"data": {"image": "/x"}, "external_id": f"{sign}{desk.tasks[0]}"} for sign in ("", "#", "##")])
    finish(desk, 6)
    built = release(desk)
    assert (built["state"], built["items"], built["error"], built["format"]) == ("ready", 6, None, 2)
    keys = {str(desk.tasks[0]), f"##{desk.tasks[0]}", f"###{desk.tasks[0]}"} | {f"#{task}" for task in desk.tasks}
    lines = [json.loads(line) for line in export(desk, built).splitlines()]
    assert built["root"] == root_of({key_of(line): line for line in lines}) and {key_of(line) for line in lines} == keys
    assert made["created"] == 3


def test_a_release_keeps_the_keys_it_was_ordered_with(api, builder, db):
    """Format 1: the bare number. Nothing of what was frozen before is read in another way."""
    desk = Desk(api, tasks=2, workflow={"review": {"mode": "none"}})
    finish(desk, 2)
    db.execute("ALTER TABLE release ALTER COLUMN format SET DEFAULT 1")
    try:
        built = release(desk)
    finally:
        db.execute("ALTER TABLE release ALTER COLUMN format SET DEFAULT 2")
    lines = [json.loads(line) for line in export(desk, built).splitlines()]
    assert built["format"] == 1 and built["root"] == root_of({str(line["task"]): line for line in lines})
