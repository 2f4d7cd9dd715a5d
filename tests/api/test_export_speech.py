"""Recordings out: the ASR manifest as Label Studio's converter has it, RTTM as pyannote reads it."""
import io
import json
import wave

import pytest

from export_env import Shelf, builder  # noqa: F401
from kit import problem

TALKS = """<View><Audio name="audio" value="$audio"/><Labels name="who" toName="audio"><Label value="Ann Lee"/><Label value="Žižek"/></Labels>
<TextArea name="said" toName="audio" perRegion="true"/></View>"""
DICTATION = '<View><Audio name="audio" value="$audio"/><TextArea name="said" toName="audio"/></View>'


def sound(seconds, note=1):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes([note, 0]) * int(8000 * seconds))
    return out.getvalue()


def turn(region, start, end, who, text=None, channel=0):
    where = {"start": start, "end": end, "channel": channel}
    part = {"id": region, "to_name": "audio", "original_length": 5.0}
    return [{**part, "from_name": "who", "type": "labels", "value": {**where, "labels": [who]}}] + (
        [{**part, "from_name": "said", "type": "textarea", "value": {**where, "text": [text]}}] if text else [])


TURNS = [turn("a", 2.25, 4.5, "Žižek", "and so on") + turn("b", 0.5, 2.5, "Ann Lee", "hello 😀"), [],
         turn("c", 0, 1.0004, "Žižek", "\"quoted\"", channel=1) + turn("d", 1, 1.5, "Ann Lee")]


@pytest.fixture(scope="module")
def talks(api, builder):  # noqa: F811
    return Shelf(api, TALKS, "audio", list(zip([sound(5), sound(2), "https://example.org/far.mp3"], TURNS)))


@pytest.fixture(scope="module")
def dictation(api, builder):  # noqa: F811
    def said(text):
        return [{"id": "t", "from_name": "said", "to_name": "audio", "type": "textarea", "value": {"text": [text]}}]
    return Shelf(api, DICTATION, "audio", [(sound(1.5, 2), said("one and a half")), (sound(0.25, 3), said("a quarter"))])


def lines(data):
    return [json.loads(line) for line in data.decode().splitlines()]


def test_a_manifest_of_stretches(talks, tmp_path):
    where, report = talks.unpack("asr", tmp_path)
    first, last = (f"audio/{talks.name(0)}.wav", "https://example.org/far.mp3")
    assert lines((where / "tasks.jsonl").read_bytes()) == [
        {"audio_filepath": first, "offset": 0.5, "duration": 2, "text": "hello 😀", "speaker": "Ann Lee", "channel": 0,
         "task": talks.tasks[0], "split": "train"},
        {"audio_filepath": first, "offset": 2.25, "duration": 2.25, "text": "and so on", "speaker": "Žižek", "channel": 0,
         "task": talks.tasks[0], "split": "train"},
        {"audio_filepath": last, "offset": 0, "duration": 1.0004, "text": "\"quoted\"", "speaker": "Žižek", "channel": 1,
         "task": talks.tasks[2], "split": "train"}]
    assert (where / first).read_bytes() == sound(5) and not (where / f"audio/{talks.name(1)}.wav").exists()
    assert report["lost"] == {"recordings.empty": 1, "regions.labels": 1} and report["media"] == 1
    bare = lines(talks.export("asr"))  # without media: where the task's data says
    assert [line["audio_filepath"] for line in bare] == [url for url in talks.files if talks.files[url] == sound(5)] * 2 + [last]


def test_a_manifest_as_label_studio_has_it(dictation, tmp_path):
    from label_studio_sdk.converter.audio import convert_to_asr_json_manifest
    where, report = dictation.unpack("asr", tmp_path / "ours")
    ours = lines((where / "tasks.jsonl").read_bytes())
    tasks = [{"input": {"audio": "/data/upload/" + line["audio_filepath"]}, "output": {"said": [{"text": [line["text"]]}]}, "completed_by": {}}
             for line in ours]
    convert_to_asr_json_manifest(tasks, str(tmp_path / "theirs"), "audio", None, str(where), True)
    theirs = lines((tmp_path / "theirs/manifest.json").read_bytes())
    assert [{key: line[key] for key in ("audio_filepath", "text", "duration")} for line in ours] == [
        {key: line[key] for key in ("audio_filepath", "text", "duration")} for line in theirs]
    assert [line["duration"] for line in ours] == [1.5, 0.25] and report["lost"] == {}


def test_pyannote_reads_rttm(talks, tmp_path):
    from pyannote.core import Segment
    from pyannote.database.util import load_rttm
    where, report = talks.unpack("rttm", tmp_path)
    read = load_rttm(where / "tasks.rttm")
    assert set(read) == {talks.name(0), talks.name(2)}
    turns = [(segment, label) for segment, _, label in read[talks.name(0)].itertracks(yield_label=True)]
    assert turns == [(Segment(0.5, 2.5), "Ann_Lee"), (Segment(2.25, 4.5), "Žižek")]
    assert read[talks.name(0)].get_overlap().duration() == 0.25
    assert (where / f"audio/{talks.name(0)}.wav").read_bytes() == sound(5)
    assert report["lost"] == {"answers.textarea": 3, "names": 2, "recordings.empty": 1, "rounded": 1, "splits": 3}


def test_every_line_of_rttm_is_as_nist_has_it(talks):
    known = talks.export("rttm").decode()
    assert known.endswith("\n") and len(known.splitlines()) == 4
    for line in known.splitlines():
        kind, file, channel, start, length, *rest = line.split(" ")
        assert kind == "SPEAKER" and file.isdigit() and channel in "12" and float(start) >= 0 and float(length) > 0
        assert len(start.partition(".")[2]) == len(length.partition(".")[2]) == 3
        assert len(rest) == 5 and [rest[i] for i in (0, 1, 3, 4)] == ["<NA>"] * 4


def test_what_has_no_recordings(api, builder):  # noqa: F811
    plain = Shelf(api, '<View><Text name="t" value="$t"/><TextArea name="said" toName="t"/></View>', "t", [("a text", [])])
    for kind in ("asr", "rttm"):
        refused = problem(plain.answer(kind), 422, pointer="/format")
        assert refused["detail"] == f"{kind} needs an Audio object"
