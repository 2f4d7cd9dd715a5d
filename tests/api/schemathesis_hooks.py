"""What schemathesis cannot know of this API: which ids there are, and what would make a run endless. See test_schemathesis.py."""
import json
import os
import uuid

import schemathesis
from schemathesis.core import NOT_SET

WORLD = json.loads(os.environ["SCHEMATHESIS_WORLD"])


def is_id(value):
    text = str(value)
    return not isinstance(value, bool) and text.isdecimal() and 1 <= int(text) < 1 << 53


def whole(value):
    """7.0 is an integer to a JSON Schema; here integers are written without a fraction."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    if isinstance(value, dict):
        return {key: whole(member) for key, member in value.items()}
    return [whole(member) for member in value] if isinstance(value, list) else value


@schemathesis.hook
def before_load_schema(context, raw_schema):
    # A group of conditions is as deep as it need be here: all four levels are thousands of requests. core/filter.c has unit tests.
    schemas = raw_schema["components"]["schemas"]
    schemas["filter_3"] = schemas["condition"]


@schemathesis.hook
def filter_case(context, case):
    # It counts a body left out among the bad ones, also where the document says that it may be; test_refused.py tries those.
    return case.body is not NOT_SET or case.operation.definition.raw.get("requestBody", {}).get("required", True)


@schemathesis.hook
def before_call(context, case, kwargs):
    name = case.operation.definition.raw["operationId"]
    ids = WORLD["only"].get(name) or WORLD["ids"]
    # Most good ids become ids of things that are there; every fifth stays as it is.
    for member, value in (case.path_parameters or {}).items():
        kind = case.operation.path.split("/{" + member)[0].rpartition("/")[2]
        if is_id(value) and int(value) % 5 and ids.get(kind):
            case.path_parameters[member] = ids[kind][int(value) % len(ids[kind])]
    # A key that was used for another request is 422, rightly: a good one becomes new.
    headers = case.headers or {}
    if headers.get("Idempotency-Key", "").isprintable() and 0 < len(headers.get("Idempotency-Key", "")) <= 200:
        headers["Idempotency-Key"] = uuid.uuid4().hex
    # Versions are small: so that a third of the guesses is right.
    match = headers.get("If-Match", "").strip('"')
    if is_id(match) and int(match) % 5:
        headers["If-Match"] = f'"{int(match) % 3 + 1}"'
    case.body = whole(case.body)
    # A parked claim is answered after wait_s.
    if name == "claim" and isinstance(case.body, dict) and case.body.get("wait_s") in range(1, 61):
        case.body["wait_s"] = 0


@schemathesis.hook
def after_call(context, case, response):
    with open(os.environ["SCHEMATHESIS_ANSWERS"], "a", encoding="ascii") as answers:
        answers.write(f"{case.operation.definition.raw['operationId']} {response.status_code}\n")
