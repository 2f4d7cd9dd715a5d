"""README.md's five minutes with curl run as written: the block is cut out of the page and given to a shell."""
import json
import os
import pathlib
import re
import struct
import subprocess
import zlib

from stand import PASSWORD, email

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def png(shade):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + bytes([shade]) * 8 for _ in range(8))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) + \
        chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_the_two_commands_come_first():
    first = README.read_text().split("```sh\n", 1)[1].split("```", 1)[0]
    assert re.match(r"\./run\b.*\n\./check\b", first)


def test_five_minutes_with_curl_run_as_written(server, start_worker, tmp_path):
    start_worker("export", poll_ms=20)
    block = re.search(r"<!-- A test extracts.*?-->\n```sh\n(.*?)```", README.read_text(), re.S).group(1)
    for shade, name in enumerate(("one.jpg", "two.jpg", "three.jpg")):
        (tmp_path / name).write_bytes(png(shade * 80))
    secrets = tmp_path / "var" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "logins").write_text("".join(f"{role}\t{email(role)}\t{PASSWORD}\n"
                                            for role in ("admin", "annotator", "reviewer")))
    run = subprocess.run(["bash"], input=block, text=True, cwd=tmp_path, capture_output=True, timeout=120,
                         env=os.environ | {"api": server.url})
    assert run.returncode == 0, run.stdout + run.stderr
    exported = json.loads((tmp_path / "cats-and-dogs.json").read_text())
    assert len(exported) == 1
    assert exported[0]["annotations"][0]["result"][0]["value"] == {"choices": ["cat"]}
