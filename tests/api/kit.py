"""What the tests of the API share: the flow in short words (Desk), the invariants in SQL (broken_rules), every answer held
against /openapi.json (Contract), tokens made by hand (forge) and bare sockets for many clients at once (Line)."""
import base64
import hashlib
import hmac
import json
import re
import socket
import struct
import time

import jsonschema
import psycopg

from stand import CHOICES

BOXES = """<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">
<Label value="shoe"/><Label value="bag"/></RectangleLabels></View>"""


def choice(value, name="kind"):
    """A label document for stand.CHOICES."""
    return [{"id": "c1", "from_name": name, "to_name": "image", "type": "choices", "value": {"choices": [value]}}]


def box(label="shoe", x=10.0, y=10.0, width=20.0, height=20.0, region="b1"):
    """A label document for BOXES."""
    return [{"id": region, "from_name": "box", "to_name": "image", "type": "rectanglelabels", "original_width": 100,
             "original_height": 100, "image_rotation": 0,
             "value": {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]}}]


def until(condition, seconds=15, what="it did not happen"):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def problem(answer, status, slug=None, pointer=None):
    """The problem+json of an answer that must have this status."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["request_id"] == answer.headers["X-Request-Id"]
    if slug:
        assert body["type"] == f"/errors/{slug}", body
    if pointer is not None:
        assert body.get("pointer") == pointer, body
    return body


class Desk:
    """A project and what people do in it."""

    def __init__(self, api, tasks=1, workflow=None, label_config=CHOICES, tenant="a"):
        self.api, self.tenant = api, tenant
        self.project = api.project(label_config=label_config, workflow=workflow, tenant=tenant)
        self.path = f"/v1/projects/{self.project}"
        self.tasks = []
        if tasks:
            made = api.tasks(self.project, [{"image": f"/{i}.png"} for i in range(tasks)], tenant)
            self.tasks = list(range(made["first_id"], made["last_id"] + 1))

    def __call__(self, role):
        return self.api(role, self.tenant)

    def claims(self, role, stage="annotate", **settings):
        return self(role).ok("POST", f"{self.path}/claims", json={"stage": stage, **settings})["assignments"]

    def claim(self, role, stage="annotate", **settings):
        got = self.claims(role, stage, **settings)
        assert len(got) == 1, f"{role} got {len(got)} of {stage}"
        return got[0]

    def act(self, role, assignment, verb, body=None, version=None):
        """The answer of a POST on an assignment, whatever it is."""
        return self(role).post(f"/v1/assignments/{assignment['id']}/{verb}", json={} if body is None else body,
                               version=assignment["version"] if version is None else version)

    def done(self, *words, **rest):
        answer = self.act(*words, **rest)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, role, assignment, value="cat", **rest):
        result = choice(value) if isinstance(value, str) else value
        return self.done(role, assignment, "submit", {"result": result, **rest})

    def verdict(self, role, assignment, verdict, **rest):
        return self.done(role, assignment, "verdict", {"verdict": verdict, **rest})

    def annotate(self, role="annotator", value="cat"):
        """Claim and submit; the answer."""
        return self.submit(role, self.claim(role), value)

    def task(self, task=None):
        return self("viewer").ok("GET", f"/v1/tasks/{task or self.tasks[0]}")

    def state(self, task=None):
        return self.task(task)["state"]

    def move(self, verb, task=None, status=200, **body):
        task = self.task(task)
        return self("manager").ok("POST", f"/v1/tasks/{task['id']}/{verb}", status, json=body, version=task["version"])

    def labels(self, task=None):
        return self("viewer").ok("GET", f"/v1/tasks/{task or self.tasks[0]}/labels")["labels"]

    def result(self, label):
        return self("viewer").ok("GET", f"/v1/labels/{label}")["result"]

    def events(self, task=None):
        return self("viewer").ok("GET", f"/v1/tasks/{task or self.tasks[0]}/events")["events"]

    def actions(self, task=None):
        return [e["action"] for e in self.events(task)]

    def progress(self):
        return self("viewer").ok("GET", f"{self.path}/progress")


# ---- the invariants, in SQL ----

MOVES = """('import', 'prelabelled', 'prelabel_failed', 'submit', 'skip', 'accept', 'fix', 'reject', 'pass', 'fail', 'reopen',
    'archive', 'restore', 'adopt', 'erase')"""

# An erased version has no place.
ERASED = "'00000000-0000-0000-0000-000000000000'"

# Each finds what must not be; the first column says where.
RULES = {
    "I2: a task's versions are 1, 2, 3 ... in the order of its events": f"""
        SELECT task_id, task_version, nth FROM (
            SELECT tenant_id, task_id, task_version, row_number() OVER (PARTITION BY tenant_id, task_id ORDER BY seq) AS nth
            FROM event WHERE task_id IS NOT NULL AND action IN {MOVES}) e
        WHERE task_version <> nth""",
    "I2: a task's version is the number of its moves": f"""
        SELECT t.id, t.version, count(e.seq) FROM task t
        LEFT JOIN event e ON e.tenant_id = t.tenant_id AND e.task_id = t.id AND e.action IN {MOVES}
        GROUP BY t.tenant_id, t.id, t.version HAVING count(e.seq) <> t.version""",
    "I2: each move starts where the one before ended": f"""
        SELECT task_id, seq, before, from_state FROM (
            SELECT task_id, seq, from_state,
                   lag(to_state, 1, 'none') OVER (PARTITION BY tenant_id, task_id ORDER BY seq) AS before
            FROM event WHERE task_id IS NOT NULL AND action IN {MOVES}) e
        WHERE before <> from_state""",
    "I2: a task is where its last move led": f"""
        SELECT t.id, t.state, e.to_state FROM task t JOIN LATERAL (
            SELECT to_state FROM event e WHERE e.tenant_id = t.tenant_id AND e.task_id = t.id AND e.action IN {MOVES}
            ORDER BY seq DESC LIMIT 1) e ON true
        WHERE e.to_state <> t.state""",
    "I3: a version of an assignment is handed out once": """
        SELECT assignment_id, assignment_version, count(*) FROM event WHERE action = 'claim'
        GROUP BY tenant_id, assignment_id, assignment_version HAVING count(*) > 1""",
    "I3: a claim begins when the one before it has ended": """
        SELECT c.assignment_id, c.seq, c.after FROM (
            SELECT *, lead(seq) OVER (PARTITION BY tenant_id, assignment_id ORDER BY seq) AS after,
                   lead(assignment_version) OVER (PARTITION BY tenant_id, assignment_id ORDER BY seq) AS next_version
            FROM event WHERE action = 'claim') c
        WHERE c.after IS NOT NULL AND (c.next_version <= c.assignment_version OR NOT EXISTS (
            SELECT FROM event e WHERE e.tenant_id = c.tenant_id AND e.task_id = c.task_id AND e.seq > c.seq AND e.seq < c.after
              AND ((e.assignment_id = c.assignment_id AND e.assignment_version = c.assignment_version
                    AND e.action NOT IN ('claim', 'late')) OR e.action IN ('archive', 'skip', 'adopt', 'erase')
                   OR (e.assignment_id = c.assignment_id AND e.detail->>'bulk' = 'true'))))""",
    "I3: who holds an assignment has claimed that version": """
        SELECT a.id, a.version, a.holder FROM assignment a WHERE a.state IN ('leased', 'submitted') AND NOT EXISTS (
            SELECT FROM event e WHERE e.tenant_id = a.tenant_id AND e.task_id = a.task_id AND e.assignment_id = a.id
              AND (e.action = 'claim' OR e.detail->>'bulk' = 'true') AND e.assignment_version = a.version AND e.actor = a.holder)""",
    "I3: nobody holds two slots of a task": """
        SELECT task_id, holder, count(*) FROM assignment WHERE stage = 'annotate' AND state IN ('leased', 'submitted')
        GROUP BY tenant_id, task_id, holder HAVING count(*) > 1""",
    "I3: nobody submits two slots of a task": """
        SELECT task_id, author, count(DISTINCT assignment_id) FROM label_version WHERE kind = 'submission'
        GROUP BY tenant_id, task_id, author HAVING count(DISTINCT assignment_id) > 1""",
    "I3: nobody judges their own label": """
        SELECT r.task_id, r.reviewer, l.id FROM review r
        JOIN label_version l ON l.tenant_id = r.tenant_id AND l.task_id = r.task_id
            AND (l.id = r.label_id OR l.id = ANY (SELECT unnest(h.merged_from) FROM label_version h
                 WHERE h.tenant_id = r.tenant_id AND h.id = r.label_id))
        WHERE l.author = r.reviewer AND l.created_at < r.created_at""",
    "I3: QA is not done by the reviewer": """
        SELECT q.task_id, q.reviewer FROM review q JOIN LATERAL (
            SELECT r.reviewer, r.verdict FROM review r
            WHERE r.tenant_id = q.tenant_id AND r.task_id = q.task_id AND r.stage = 'review' AND r.id < q.id
            ORDER BY r.id DESC LIMIT 1) r ON true
        WHERE q.stage = 'qa' AND r.reviewer = q.reviewer""",
    "label versions are numbered 1, 2, 3 ...": """
        SELECT t.id, t.label_seq, count(l.seq), max(l.seq) FROM task t
        LEFT JOIN label_version l ON l.tenant_id = t.tenant_id AND l.task_id = t.id
        GROUP BY t.tenant_id, t.id, t.label_seq HAVING count(l.seq) <> t.label_seq OR coalesce(max(l.seq), 0) <> t.label_seq""",
    "a label's parent is an older version of the same task": """
        SELECT l.id, l.parent FROM label_version l
        LEFT JOIN label_version p ON p.tenant_id = l.tenant_id AND p.id = l.parent AND p.task_id = l.task_id AND p.seq < l.seq
        WHERE l.parent IS NOT NULL AND p.id IS NULL""",
    "a label has a task, an assignment of it, a pack and a config": f"""
        SELECT l.id FROM label_version l
        LEFT JOIN task t ON t.tenant_id = l.tenant_id AND t.id = l.task_id AND t.project_id = l.project_id
        LEFT JOIN assignment a ON a.tenant_id = l.tenant_id AND a.id = l.assignment_id AND a.task_id = l.task_id
        LEFT JOIN pack p ON p.tenant_id = l.tenant_id AND p.id = l.pack AND l.pack_off + l.bytes <= p.bytes
        LEFT JOIN label_config c ON c.tenant_id = l.tenant_id AND c.project_id = l.project_id AND c.version = l.label_config_version
        WHERE t.id IS NULL OR (p.id IS NULL AND l.pack <> {ERASED}) OR c.version IS NULL OR (l.assignment_id IS NOT NULL AND a.id IS NULL)""",
    "a label belongs to a person or to a model": """
        SELECT id FROM label_version WHERE CASE WHEN kind IN ('merge', 'import') THEN model IS NOT NULL ELSE (author IS NULL) = (model IS NULL) END""",
    "a label has its event": """
        SELECT l.id, l.kind FROM label_version l WHERE l.kind <> 'merge' AND l.assignment_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM event e WHERE e.tenant_id = l.tenant_id AND e.task_id = l.task_id AND e.label_id = l.id)""",
    "a label without an assignment came with the import of its task, or was taken in again": """
        SELECT l.id, l.kind FROM label_version l WHERE l.assignment_id IS NULL AND NOT EXISTS (
            SELECT FROM event e WHERE e.tenant_id = l.tenant_id AND e.task_id = l.task_id AND e.label_id = l.id AND e.action = 'adopt'
        ) AND (l.kind NOT IN ('import', 'prelabel') OR l.seq > (
            SELECT count(*) FROM label_version i WHERE i.tenant_id = l.tenant_id AND i.task_id = l.task_id AND i.assignment_id IS NULL
                AND i.kind IN ('import', 'prelabel'))
            OR NOT EXISTS (SELECT FROM event e WHERE e.tenant_id = l.tenant_id AND e.task_id = l.task_id AND e.action = 'import'
                AND (e.label_id IS NOT NULL) = EXISTS (SELECT FROM label_version i WHERE i.tenant_id = l.tenant_id AND i.task_id = l.task_id
                    AND i.kind = 'import')))""",
    "the head label is one of the task's": """
        SELECT t.id, t.head_label FROM task t
        LEFT JOIN label_version l ON l.tenant_id = t.tenant_id AND l.id = t.head_label AND l.task_id = t.id
        WHERE t.head_label IS NOT NULL AND l.id IS NULL""",
    "what is done has a label": "SELECT id FROM task WHERE state = 'done' AND head_label IS NULL",
    "an assignment has a task": """
        SELECT a.id FROM assignment a
        LEFT JOIN task t ON t.tenant_id = a.tenant_id AND t.id = a.task_id AND t.project_id = a.project_id WHERE t.id IS NULL""",
    "only work of the task's stage is open or leased": """
        SELECT a.id, a.stage, a.state, t.state FROM assignment a JOIN task t ON t.tenant_id = a.tenant_id AND t.id = a.task_id
        WHERE a.state IN ('open', 'leased') AND a.stage::text <> t.state::text""",
    "a task in work has work": """
        SELECT t.id, t.state FROM task t WHERE t.state IN ('prelabel', 'annotate', 'review', 'qa') AND NOT t.gold AND NOT EXISTS (
            SELECT FROM assignment a WHERE a.tenant_id = t.tenant_id AND a.task_id = t.id AND a.state IN ('open', 'leased'))""",
    "a draft, a comment, a verdict and an event have what they are about": """
        SELECT 'draft', d.assignment_id FROM draft d
            LEFT JOIN assignment a ON a.tenant_id = d.tenant_id AND a.id = d.assignment_id WHERE a.id IS NULL
        UNION ALL SELECT 'comment', c.id FROM comment c
            LEFT JOIN task t ON t.tenant_id = c.tenant_id AND t.id = c.task_id WHERE t.id IS NULL
        UNION ALL SELECT 'review', r.id FROM review r
            LEFT JOIN assignment a ON a.tenant_id = r.tenant_id AND a.id = r.assignment_id AND a.task_id = r.task_id
                AND a.stage = r.stage WHERE a.id IS NULL
        UNION ALL SELECT 'event', e.seq FROM event e
            LEFT JOIN task t ON t.tenant_id = e.tenant_id AND t.id = e.task_id AND t.project_id = e.project_id
            WHERE e.task_id IS NOT NULL AND t.id IS NULL
        UNION ALL SELECT 'event label', e.seq FROM event e
            LEFT JOIN label_version l ON l.tenant_id = e.tenant_id AND l.id = e.label_id AND l.task_id = e.task_id
            WHERE e.label_id IS NOT NULL AND l.id IS NULL
        UNION ALL SELECT 'event actor', e.seq FROM event e
            LEFT JOIN app_user u ON u.tenant_id = e.tenant_id AND u.id = e.actor WHERE e.actor IS NOT NULL AND u.id IS NULL""",
    "QA's figures are QA's verdicts": """
        SELECT coalesce(q.project_id, x.project_id), q.inspected, x.inspected, q.defective, x.defective
        FROM (SELECT tenant_id, project_id, sum(inspected) AS inspected, sum(defective) AS defective FROM qa_check
              WHERE author = 0 GROUP BY 1, 2) q
        FULL JOIN (SELECT tenant_id, project_id, count(*) AS inspected, count(*) FILTER (WHERE action <> 'pass') AS defective FROM event
              WHERE from_state = 'qa' AND action IN ('pass', 'fix', 'fail') AND detail->>'bulk' IS NULL GROUP BY 1, 2) x
            USING (tenant_id, project_id)
        WHERE q.inspected IS DISTINCT FROM x.inspected OR q.defective IS DISTINCT FROM x.defective""",
    "the counters are what there is": f"""
        SELECT coalesce(c.project_id, x.project_id), coalesce(c.name, x.name), c.n, x.n
        FROM (SELECT tenant_id, project_id, name, sum(delta) AS n FROM counter GROUP BY 1, 2, 3) c
        FULL JOIN (
            SELECT tenant_id, project_id, 'task.' || state AS name, count(*) AS n FROM task WHERE NOT gold GROUP BY 1, 2, 3
            UNION ALL SELECT tenant_id, project_id, 'label.' || kind, count(*) FROM label_version l
                WHERE NOT (kind = 'submission' AND EXISTS (SELECT FROM task t WHERE t.tenant_id = l.tenant_id AND t.id = l.task_id AND t.gold))
                GROUP BY 1, 2, 3
            UNION ALL SELECT tenant_id, project_id, 'action.' || action, count(*) FROM event e
                WHERE (action IN {MOVES} OR action = 'late') AND task_id IS NOT NULL AND NOT (action = 'submit' AND EXISTS (
                    SELECT FROM task t WHERE t.tenant_id = e.tenant_id AND t.id = e.task_id AND t.gold)) GROUP BY 1, 2, 3) x USING (tenant_id, project_id, name)
        WHERE coalesce(c.n, 0) <> coalesce(x.n, 0) AND c.name IS DISTINCT FROM 'task.none'""",
}


def rules_broken_in(c):
    return [f"{rule}: {row}" for rule, sql in RULES.items() for row in c.execute(sql).fetchmany(5)]


def broken_rules(db, blobs=None):
    """What is wrong in a database, as lines of text; [] when every rule holds. `db`: a superuser's connection. All rules look
    at one snapshot, so traffic may go on. `blobs`: the directory of the blob store, to hold the documents against their hashes."""
    lines = []
    with psycopg.connect(host=db.info.host, dbname=db.info.dbname, user="postgres") as c:
        c.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        lines += rules_broken_in(c)
        if blobs:
            rows = c.execute(f"SELECT tenant_id, id, pack, pack_off, bytes, sha256 FROM label_version WHERE pack <> {ERASED}").fetchall()
            lines += [f"I6: label {row[1]}: {why}" for row in rows if (why := document(blobs, *row[:1], *row[2:])[1])]
    return lines


def document(blobs, tenant, pack, offset, size, sha256):
    """The bytes of a label document and what is wrong with them."""
    try:
        with open(blobs / "packs" / str(tenant) / pack.hex[:2] / pack.hex, "rb") as f:
            f.seek(offset)
            text = f.read(size)
    except OSError as e:
        return b"", str(e)
    return text, None if hashlib.sha256(text).digest() == sha256 else "the document does not match its hash"


# ---- the contract ----

class Contract:
    """Holds every answer of a server against its /openapi.json: 2xx by the reply's schema, errors by the problem's, and a request
    that was accepted by the request's."""

    VALIDATOR = jsonschema.Draft202012Validator
    CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER
    BULK = 1 << 20  # longer answers are not looked at

    def __init__(self, document):
        self.document = document
        self.validators = {}
        self.routes = []
        for path, operations in document["paths"].items():
            pattern = re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/")))
            for method, operation in operations.items():
                self.routes.append((method.upper(), pattern, path, operation))
        self.routes.sort(key=lambda route: route[2].count("{"))

    def operation(self, method, path):
        path = path.partition("?")[0]
        return next((op for m, pattern, _, op in self.routes if m == method and pattern.fullmatch(path)), None)

    def validator(self, schema):
        return self.VALIDATOR(schema | {"components": self.document["components"]}, format_checker=self.CHECKER)

    def fits(self, schema, value):
        return self.validator(schema).is_valid(value)

    def check(self, name, value, where):
        if name not in self.validators:
            self.validators[name] = self.validator({"$ref": f"#/components/schemas/{name}"})
        error = jsonschema.exceptions.best_match(self.validators[name].iter_errors(value))
        assert error is None, f"{where} is no {name}: {error.json_path}: {error.message}"

    @staticmethod
    def schema(holder):
        """The name that {"content": {"application/json": {"schema": {"$ref"}}}} refers to, or None."""
        schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
        return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None

    def __call__(self, method, path, sent, answer):
        where = f"{method} {path}: {answer.status_code}"
        operation = self.operation(method, path)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json", f"{where} {answer.text}"
            self.check("problem", answer.json(), where)
            assert not operation or str(answer.status_code) in operation["responses"], f"{where} is not in the document"
        elif operation and answer.status_code != 304:
            response = operation["responses"].get(str(answer.status_code))
            assert response, f"{where} is not in the document"
            reply = self.schema(response)
            if reply and len(answer.content) < self.BULK:
                self.check(reply, answer.json(), where)
            request = self.schema(operation.get("requestBody", {}))
            partial = "errors=" in path  # an import that takes some of its items
            if request and sent is not None and not partial and len(answer.request.body) < self.BULK:
                self.check(request, sent, f"{where} took a body that")

    contracts = {}

    @classmethod
    def watch(cls, client_class):
        """Makes every client of that class check what it gets; returns how to stop."""
        plain = client_class.request

        def request(self, method, path, *words, **rest):
            answer = plain(self, method, path, *words, **rest)
            if self.url not in cls.contracts:
                cls.contracts[self.url] = cls(plain(self, "GET", "/openapi.json").json())
            if not rest.get("stream") and path.startswith("/"):
                cls.contracts[self.url](method.upper(), path, rest.get("json"), answer)
            return answer

        client_class.request = request

        def stop():
            client_class.request = plain

        return stop


# ---- tokens by hand ----

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def token_parts(client):
    """Header, payload and signature of a client's token."""
    header, payload, signature = client.headers["Authorization"].partition(" ")[2].split(".")
    return json.loads(unb64(header)), json.loads(unb64(payload)), unb64(signature)


def forge(key, header, payload):
    """A token with this header and payload, signed HS256 with the key."""
    text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(payload).encode())
    return text + "." + b64(hmac.digest(key, text.encode(), "sha256"))


def people(db, server, api, project, count, role="annotator", tenant="a"):
    """So many new members of a project: [(user id, token)]."""
    header, payload, _ = token_parts(api("admin", tenant))
    key = (server.directory / "token.key").read_bytes()
    ids = [row[0] for row in db.execute(
        """WITH u AS (INSERT INTO app_user (tenant_id, email, name)
               SELECT %(tenant)s, gen_random_uuid() || '@a.example', 'P' || n
               FROM generate_series(1, %(count)s) n RETURNING tenant_id, id),
           m AS (INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by)
               SELECT tenant_id, %(project)s, id, %(role)s, id FROM u)
           SELECT id FROM u ORDER BY id""",
        {"tenant": payload["tid"], "project": project, "role": role, "count": count})]
    return [(i, forge(key, header, payload | {"sub": str(i), "adm": False})) for i in ids]


# ---- many clients at once ----

class Line:
    """One kept-alive connection of one person, without a library: send() now, answer() later, so that many requests can be on
    their way together."""

    def __init__(self, server, token):
        self.server, self.token = server, token
        self.open()

    def open(self):
        self.buffer = b""
        self.socket = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, method, path, body=None, version=None, key=None):
        text = b"" if body is None else json.dumps(body).encode()
        match = "" if version is None else f'If-Match: "{version}"\r\n'
        match += "" if key is None else f"Idempotency-Key: {key}\r\n"
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n{match}"
                            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)

    def answer(self):
        """(status, JSON); ConnectionError when the server has gone."""
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self.more()
        head = self.buffer[:end].decode("latin-1")
        length = int(re.search(r"(?i)\r\ncontent-length: *(\d+)", head).group(1))
        while len(self.buffer) < end + 4 + length:
            self.more()
        body = self.buffer[end + 4:end + 4 + length]
        self.buffer = self.buffer[end + 4 + length:]
        if re.search(r"(?i)\r\nconnection: *close", head):  # a connection serves so many requests
            self.socket.close()
            self.open()
        return int(head.split(" ", 2)[1]), json.loads(body) if body else None

    def more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("closed by the server")
        self.buffer += piece

    def call(self, *words, **rest):
        self.send(*words, **rest)
        return self.answer()

    def reset(self):
        """Ends the connection at once, with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()
