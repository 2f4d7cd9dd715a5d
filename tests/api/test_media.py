"""Media without a token: signed links, what they are good for, and for how long."""
import hashlib
import hmac
import os
import re
import struct
import time

import pytest

from kit import Desk, problem
from test_assets import put, png


def fetch(client, url, **rest):
    """Without a token."""
    return client().get(url, **rest)


def parts(url):
    path, _, query = url.partition("?")
    return path, dict(pair.split("=") for pair in query.split("&"))


def link(path, **members):
    return path + "?" + "&".join(f"{name}={value}" for name, value in members.items())


def signed(api, made, role="annotator", tenant="a", **settings):
    return api(role, tenant).ok("POST", "/v1/assets/sign", json={"assets": [made["sha256"]], **settings})["media"][made["url"]]


def forged(key, tenant, sha256, exp, disposition="by type"):
    own = hmac.digest(key, b"annotate media link, 1", "sha256")
    text = f"{tenant}\n{sha256}\n{exp}\n{disposition}\n"
    return hmac.new(own, text.encode(), "sha256").hexdigest()


def test_a_link_needs_no_token(api):
    data = png(7, 5)
    made = put(api("annotator"), data)
    url = signed(api, made)
    got = fetch(api, url)
    assert got.status_code == 200 and got.content == data and got.headers["Content-Type"] == "image/png"
    assert got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'" and got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Cross-Origin-Resource-Policy"] == "cross-origin" and "Content-Disposition" not in got.headers
    age = int(re.fullmatch(r"private, max-age=(\d+), immutable", got.headers["Cache-Control"])[1])
    assert abs(int(parts(url)[1]["exp"]) - time.time() - age) < 5
    part = fetch(api, url, headers={"Range": "bytes=1-3"})
    assert part.status_code == 206 and part.content == data[1:4]
    assert fetch(api, url, headers={"If-None-Match": f'"{made["sha256"]}"'}).status_code == 304
    assert api().head(url).headers["Content-Length"] == str(len(data))
    problem(fetch(api, made["url"]), 401, "unauthenticated")


def test_one_address_for_a_while_so_that_it_is_cached(api):
    made = put(api("annotator"), os.urandom(100))
    exps = {int(parts(signed(api, made))[1]["exp"]) for _ in range(3)}
    assert all(exp % 900 == 0 for exp in exps) and len(exps) <= 2


def test_what_is_wrong_with_a_link(api, server):
    made = put(api("annotator"), os.urandom(100))
    path, good = parts(signed(api, made))
    other = put(api("annotator"), os.urandom(100))
    wrong = [good | {"sig": good["sig"][:-1] + ("0" if good["sig"][-1] != "0" else "1")}, good | {"sig": ""}, good | {"sig": "0" * 64},
             good | {"exp": int(good["exp"]) + 900}, good | {"exp": ""}, good | {"exp": "x"}, good | {"exp": "-1"},
             good | {"tenant": int(good["tenant"]) + 1}, good | {"tenant": "1e3"}, good | {"disposition": "attachment"},
             good | {"disposition": "inline"}, {"sig": good["sig"]}]
    for members in wrong:
        problem(fetch(api, link(path, **members)), 403, "forbidden")
    problem(fetch(api, link(other["url"], **good)), 403, "forbidden")
    problem(fetch(api, link("/v1/assets/x", **good)), 403, "forbidden")
    problem(fetch(api, link(path, tenant=good["tenant"], exp=good["exp"])), 401)
    problem(api("annotator").get(link(path, **(good | {"sig": "0" * 64}))), 403)  # a token does not mend it
    problem(fetch(api, link(path, **good) + f"&sig={good['sig']}"), 422)
    problem(fetch(api, link(path, **good, extra=1)), 422)
    problem(fetch(api, f"/v1/me?sig={good['sig']}"), 401)  # and opens nothing else


def test_a_link_ends(api, server):
    made = put(api("annotator"), os.urandom(100))
    path, good = parts(signed(api, made))
    key = (server.directory / "token.key").read_bytes()
    assert forged(key, good["tenant"], made["sha256"], good["exp"]) == good["sig"]  # so the ones below are signed well
    for exp, status in ((int(time.time()) + 60, 200), (int(time.time()) - 1, 403), (0, 403)):
        answer = fetch(api, link(path, tenant=good["tenant"], exp=exp, sig=forged(key, good["tenant"], made["sha256"], exp)))
        assert answer.status_code == status, answer.text
    token_key_itself = hmac.new(key, f"{good['tenant']}\n{made['sha256']}\n{good['exp']}\nby type\n".encode(), "sha256").hexdigest()
    problem(fetch(api, link(path, **(good | {"sig": token_key_itself}))), 403)


def test_of_another_tenant(api, server):
    made = put(api("annotator"), os.urandom(100))
    assert api("annotator", "b").ok("POST", "/v1/assets/sign", json={"assets": [made["sha256"]]})["media"] == {}
    theirs = parts(signed(api, put(api("annotator", "b"), b"theirs"), tenant="b"))[1]
    key = (server.directory / "token.key").read_bytes()
    sig = forged(key, theirs["tenant"], made["sha256"], theirs["exp"])
    problem(fetch(api, link(made["url"], tenant=theirs["tenant"], exp=theirs["exp"], sig=sig)), 404, "not-found")


@pytest.mark.parametrize("data, inline", [(png(2, 2), True), (b"RIFF\0\0\0\0WAVEfmt ", True), (b"\0\0\0\x1cftypisom", True), (b"hello", True),
                                          (b"%PDF-1.7\n", True), (b"II*\0", False), (b"\0\1\2", False), (b"PK\3\4\0", False)])
def test_what_is_shown_and_what_is_downloaded(api, data, inline):
    made = put(api("annotator"), data)
    assert ("Content-Disposition" not in fetch(api, signed(api, made)).headers) == inline
    got = fetch(api, signed(api, made, disposition="attachment"))
    assert got.status_code == 200 and got.headers["Content-Disposition"] == "attachment"


def test_signing(api):
    one, two = (put(api("annotator"), os.urandom(100)) for _ in range(2))
    asked = [one["sha256"], two["sha256"].upper(), one["sha256"], "0" * 64]
    answer = api("viewer").ok("POST", "/v1/assets/sign", json={"assets": asked, "seconds": 10})
    assert set(answer["media"]) == {one["url"], two["url"]}
    assert 3600 <= answer["expires"] - time.time() <= 3600 + 10 + 900
    assert {parts(url)[1]["exp"] for url in answer["media"].values()} == {str(answer["expires"])}
    long = api("viewer").ok("POST", "/v1/assets/sign", json={"assets": asked, "seconds": 86400})["expires"] - time.time()
    assert long >= 86400


@pytest.mark.parametrize("body, pointer", [
    ({}, "/assets"), ({"assets": []}, "/assets"), ({"assets": "x"}, "/assets"), ({"assets": ["0" * 63]}, "/assets/0"), ({"assets": [1]}, "/assets/0"),
    ({"assets": [None]}, "/assets/0"), ({"assets": ["0" * 64, "g" * 64]}, "/assets/1"), ({"assets": ["0" * 64] * 501}, "/assets"),
    ({"assets": ["0" * 64], "seconds": 0}, "/seconds"), ({"assets": ["0" * 64], "seconds": 86401}, "/seconds"),
    ({"assets": ["0" * 64], "disposition": "inline"}, "/disposition"), ({"assets": ["0" * 64], "x": 1}, "/x")])
def test_signing_what_cannot_be(api, body, pointer):
    problem(api("annotator").post("/v1/assets/sign", json=body), 422, "invalid", pointer)


def test_work_comes_with_links_that_outlive_its_lease(api):
    image, sound = put(api("manager"), png(3, 3)), put(api("manager"), b"RIFF\0\0\0\0WAVEfmt " + os.urandom(20))
    data = {"image": image["url"], "more": [{"sound": sound["url"], "again": image["url"]}], "text": f"<img src='{sound['url']}'>"}
    desk = Desk(api, tasks=0)
    api.tasks(desk.project, [data, {"image": "/v1/assets/x.png"}, {"image": "/1.png"}])
    work = desk.claims("annotator", count=3, lease_s=86400)
    assert work[0]["task"]["data"] == data and set(work[0]["task"]["media"]) == {image["url"], sound["url"]}
    assert work[1]["task"]["media"] == work[2]["task"]["media"] == {}
    for address, url in work[0]["task"]["media"].items():
        assert url.startswith(address + "?") and int(parts(url)[1]["exp"]) >= time.time() + 86400 + 3000
        assert hashlib.sha256(fetch(api, url).content).hexdigest() == address.rpartition("/")[2]
    again = desk.claims("annotator", count=3, lease_s=5)  # what is held already may have the longer lease
    assert all(int(parts(url)[1]["exp"]) >= time.time() + 86400 for url in again[0]["task"]["media"].values())
    task = desk.task(work[0]["task"]["id"])
    assert set(task["media"]) == {image["url"], sound["url"]} and task["data"] == data
    assert fetch(api, task["media"][image["url"]]).content == png(3, 3)
    assert desk.task(work[2]["task"]["id"])["media"] == {}


def test_many_media_of_one_task(api):
    desk = Desk(api, tasks=0)
    names = [f"/v1/assets/{hashlib.sha256(str(i).encode()).hexdigest()}" for i in range(300)]
    api.tasks(desk.project, [{"image": names[0], "frames": names}])
    media = desk.claim("annotator")["task"]["media"]
    assert list(media) == names[:256]
    problem(fetch(api, media[names[0]]), 404, "not-found")  # a well-signed link to nothing


# ---- facts ----

def wav(seconds=1.5, rate=8000):
    n = int(seconds * rate) * 2
    return b"RIFF" + struct.pack("<I", 36 + n) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16) + b"data" + struct.pack("<I", n) + bytes(n)


NOTHING = {"width": None, "height": None, "duration": None, "sample_rate": None, "channels": None, "pages": None}
FACTS = {
    "PNG": (png(7, 5), {"width": 7, "height": 5}),
    "JPEG behind 120 kB of EXIF": (b"\xff\xd8" + 2 * (b"\xff\xe1\xea\x62" + bytes(60000)) + b"\xff\xc0\0\x0b\x08\0\x09\0\x0a\1\1\x11\0\xff\xd9",
                                   {"width": 10, "height": 9}),
    "WAV": (wav(), {"duration": 1.5, "sample_rate": 8000, "channels": 1}),
    "PDF": (b"%PDF-1.4\n1 0 obj << /Type /Pages /Kids [] /Count 3 >>", {"pages": 3}),
    "PDF that says nothing": (b"%PDF-1.4\n", {}), "text": (b"hello", {}), "WAV that says nothing": (b"RIFF\0\0\0\0WAVEfmt ", {}), "nothing": (b"", {}),
}


@pytest.mark.parametrize("what", FACTS)
def test_facts(api, what):
    data, facts = FACTS[what]
    made = put(api("annotator"), data)
    info = api("viewer").ok("GET", f"{made['url']}/info")
    assert {name: info[name] for name in NOTHING} == NOTHING | facts
    assert info["sha256"] == made["sha256"] and info["bytes"] == len(data) and info["media_type"] == made["media_type"]
    assert (made["width"], made["height"]) == (info["width"], info["height"])


def test_facts_of_nothing_here(api):
    made = put(api("annotator"), os.urandom(100))
    for url in (f"{made['url']}0/info", "/v1/assets/x/info", f"/v1/assets/{'0' * 64}/info"):
        problem(api("annotator").get(url), 404)
    problem(api("annotator", "b").get(f"{made['url']}/info"), 404)
