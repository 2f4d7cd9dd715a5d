"""Media: what was put in comes out, once, under the type that its bytes have, to its own tenant."""
import hashlib
import os
import struct
import zlib

import pytest
import requests

from kit import problem


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def put(client, data):
    return client.ok("POST", "/v1/assets", 201, data=data, headers={"Content-Type": "text/html"})


def overrun(server, send, status):
    """Bodies without a length that are refused while what came before is still being written; send(pieces) sends one."""
    def pieces():
        for size in (300_000, 100_000, 1000, 200_000):
            yield os.urandom(size)

    answers = []
    for _ in range(30):
        try:
            answers.append(send(pieces()).status_code)
        except requests.ConnectionError:  # refused before all was sent
            pass
    assert server.proc.poll() is None and set(answers) == {status}, answers


SIZES = {"0 B": b"", "1 B": b"x", "64 KiB": os.urandom(1 << 16), "256 KiB": os.urandom(256 << 10), "5 MB": os.urandom(5_000_000)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("chunked", [False, True])
def test_round_trip(api, size, chunked):
    data = SIZES[size]
    pieces = (data[i:i + 50_000] for i in range(0, len(data), 50_000)) if chunked else data
    made = put(api("annotator"), pieces)
    assert made["bytes"] == len(data) and made["sha256"] == hashlib.sha256(data).hexdigest()
    got = api("viewer").get(made["url"])
    assert got.status_code == 200 and got.content == data and got.headers["Content-Length"] == str(len(data))
    assert got.headers["ETag"] == f'"{made["sha256"]}"' and "immutable" in got.headers["Cache-Control"]
    head = api("viewer").head(made["url"])
    assert head.status_code == 200 and head.content == b"" and head.headers["Content-Length"] == str(len(data))


def test_the_same_twice_is_one_object(api, db, server):
    data = os.urandom(1000)
    first, second = put(api("annotator"), data), put(api("manager"), data)
    assert first == second
    name = first["sha256"]
    assert db.execute("SELECT count(*) FROM asset WHERE sha256 = decode(%s, 'hex')", (name,)).fetchone() == (1,)
    assert len([f for _, _, files in os.walk(server.directory / "blobs") for f in files if name in f]) == 1


def test_of_another_tenant(api, db, server):
    data = os.urandom(1000)
    made = put(api("annotator"), data)
    for role in ("admin", "annotator"):
        problem(api(role, "b").get(made["url"]), 404, "not-found")
    problem(api().get(made["url"]), 401)
    put(api("annotator", "b"), data)  # its own copy
    assert api("annotator", "b").get(made["url"]).content == data
    name = made["sha256"]
    assert len([f for _, _, files in os.walk(server.directory / "blobs") for f in files if name in f]) == 2
    assert db.execute("SELECT count(*) FROM asset WHERE sha256 = decode(%s, 'hex')", (name,)).fetchone() == (2,)


HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
TYPES = {
    "PNG": (png(7, 5), "image/png", 7, 5), "GIF": (b"GIF89a" + struct.pack("<HH", 3, 4) + b"\0\0\0;", "image/gif", 3, 4),
    "JPEG": (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x09\x00\x0a\x01\x01\x11\x00\xff\xd9", "image/jpeg", 10, 9),
    "WebP": (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", None, None), "WAV": (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav", None, None),
    "PDF": (b"%PDF-1.7\n" + HTML, "application/pdf", None, None), "text": ("tëxt\n".encode(), "text/plain; charset=utf-8", None, None),
    "HTML": (HTML, "text/plain; charset=utf-8", None, None), "SVG": (SVG, "text/plain; charset=utf-8", None, None),
    "HTML with NUL": (HTML + b"\0", "application/octet-stream", None, None), "SVG, UTF-16": (SVG.decode().encode("utf-16"), "application/octet-stream", None, None),
    "GIF and HTML": (b"GIF89a/*" + HTML + b"*/", "image/gif", None, None), "PNG and HTML": (png(2, 2) + HTML, "image/png", 2, 2),
    "BOM and HTML": (b"\xef\xbb\xbf" + HTML, "text/plain; charset=utf-8", None, None), "nothing": (b"", "application/octet-stream", None, None),
    "JavaScript": (b"alert(1)", "text/plain; charset=utf-8", None, None), "executable": (b"\x7fELF" + bytes(60), "application/octet-stream", None, None),
    "cut PNG": (png(7, 5)[:10], "image/png", None, None), "huge PNG": (png(7, 5)[:16] + b"\xff" * 8 + png(7, 5)[24:], "image/png", None, None),
}


@pytest.mark.parametrize("what", TYPES)
def test_types_are_sniffed_and_harmless(api, what):
    data, kind, width, height = TYPES[what]
    made = put(api("annotator"), data)
    assert made["media_type"] == kind
    if width:
        assert (made["width"], made["height"]) == (width, height)
    got = api("annotator").get(made["url"], headers={"Accept": "text/html"})
    assert got.headers["Content-Type"] == kind and got.content == data
    assert got.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in got.headers["Content-Security-Policy"]
    if kind == "application/octet-stream":
        assert got.headers["Content-Disposition"].startswith("attachment")


DATA = bytes(range(256)) * 40
RANGES = {"bytes=0-0": (0, 1), "bytes=0-99": (0, 100), "bytes=100-199": (100, 200), "bytes=-10": (10230, 10240), "bytes=10000-": (10000, 10240),
          "bytes=10239-": (10239, 10240), "bytes=0-99999": (0, 10240), "bytes=-99999": (0, 10240)}


@pytest.mark.parametrize("header", RANGES)
def test_ranges(api, header):
    url, (first, end) = put(api("annotator"), DATA)["url"], RANGES[header]
    got = api("annotator").get(url, headers={"Range": header})
    assert got.status_code == 206 and got.content == DATA[first:end]
    assert got.headers["Content-Range"] == f"bytes {first}-{end - 1}/{len(DATA)}" and got.headers["Content-Length"] == str(end - first)


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=99999-", "bytes=10240-10300", "bytes=-0"])
def test_ranges_beyond(api, header):
    got = api("annotator").get(put(api("annotator"), DATA)["url"], headers={"Range": header})
    problem(got, 416, "range-not-satisfiable")
    assert got.headers["Content-Range"] == f"bytes */{len(DATA)}"


@pytest.mark.parametrize("header", ["bytes=5-4", "bytes=x-1", "lines=0-1", "bytes=0-1,5-6", "bytes=", "bytes=-", "bytes 0-1", "bytes=0--1"])
def test_ranges_that_are_none_are_ignored(api, header):
    got = api("annotator").get(put(api("annotator"), DATA)["url"], headers={"Range": header})
    assert got.status_code == 200 and got.content == DATA


@pytest.mark.parametrize("header, status", [('"{}"', 304), ("*", 304), ('"x", "{}"', 304), ('W/"{}"', 304), ('"x"', 200), ("{}", 200)])
def test_if_none_match(api, header, status):
    made = put(api("annotator"), DATA)
    got = api("annotator").get(made["url"], headers={"If-None-Match": header.format(made["sha256"])})
    assert got.status_code == status and got.content == (DATA if status == 200 else b"")
    assert got.headers["ETag"] == f'"{made["sha256"]}"'


@pytest.mark.parametrize("name", ["0" * 64, "x", "A" * 64, "0" * 63, "..%2f..%2fetc%2fpasswd"])
def test_names_of_nothing(api, name):
    assert api("annotator").get(f"/v1/assets/{name}").status_code in (400, 404)


def test_an_upload_that_breaks_off_leaves_nothing(api, server):
    def pieces():
        yield b"x" * 300_000
        raise RuntimeError("the client is gone")
    def files():
        return sorted(os.path.join(d, f) for d, _, fs in os.walk(server.directory / "blobs") for f in fs)
    before = files()
    with pytest.raises((RuntimeError, requests.RequestException)):
        api("annotator").post("/v1/assets", data=pieces())
    api("annotator").close()
    put(api("annotator"), DATA)
    assert [f for f in files() if f not in before and hashlib.sha256(DATA).hexdigest() not in f] == []


def test_more_than_there_is_room_for_without_a_length(api, cluster, server):
    def quota(most):
        cluster.cli(server.database, "tenant", "quota", "b", "--bytes", str(most))
    client = api("manager", "b")
    used = next(q for q in api("admin", "b").ok("GET", "/v1/tenant/usage")["quotas"] if q["quota"] == "bytes")["used"]
    try:
        quota(used + 300_000)
        overrun(server, lambda pieces: client.post("/v1/assets", data=pieces), 403)
    finally:
        quota("none")
    put(client, DATA)
