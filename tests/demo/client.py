"""A person's connection to the API: keep-alive, one token, and patience with a server that is away.

A write whose answer was lost may have happened. It is sent again, and the answer says so in `unsure`:
then a refusal (409, 412) may mean that the first try went through."""
import http.client
import json
import random
import time
import urllib.parse
import uuid


class Refused(Exception):
    """An answer that was not expected."""

    def __init__(self, method, path, answer):
        detail = answer.body if isinstance(answer.body, dict) else {}
        super().__init__(f"{method} {path} was answered {answer.status}: "
                         f"{detail.get('title', '')} {detail.get('detail', '')} {detail.get('pointer', '')}".rstrip())
        self.answer = answer


class Answer:
    def __init__(self, status, headers, data, unsure):
        self.status, self.headers, self.unsure = status, headers, unsure
        kind = headers.get("Content-Type", "")
        self.body = json.loads(data) if data and "json" in kind and "ndjson" not in kind else data


class Client:
    def __init__(self, server, token=None, patience_s=90):
        url = urllib.parse.urlsplit(server)
        self.server, self.address, self.prefix = server, (url.hostname, url.port or 80), url.path.rstrip("/")
        self.token, self.patience_s = token, patience_s
        self.connection = None
        self.calls = self.retries = 0

    def login(self, email, password):
        body = self.call("POST", "/v1/login", {"email": email, "password": password}).body
        self.token = body["token"]
        return body["user"]

    def again(self):
        """Another connection of the same person, for another thread."""
        return Client(self.server, self.token, self.patience_s)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def _once(self, method, path, data, headers):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=90)
        self.connection.request(method, self.prefix + path, body=data, headers=headers)
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def _headers(self, method, body, version, content_type):
        headers = {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if body is not None:
            headers["Content-Type"] = content_type
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        return headers

    def call(self, method, path, body=None, *, version=None, content_type="application/json", allow=()):
        """One call, repeated while the server is away or busy. `allow`: statuses besides 2xx that are no surprise."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        headers = self._headers(method, body, version, content_type)
        deadline, pause, unsure = time.monotonic() + self.patience_s, 0.05, False
        while True:
            self.calls += 1
            try:
                status, got, content = self._once(method, path, data, headers)
            except (OSError, http.client.HTTPException):
                self.close()
                unsure = True
                if time.monotonic() > deadline:
                    raise
            else:
                if status not in (429, 503) or status in allow or time.monotonic() > deadline:
                    answer = Answer(status, got, content, unsure)
                    if 200 <= status < 300 or status in allow:
                        return answer
                    raise Refused(method, path, answer)
                unsure = unsure or status == 503
                pause = max(pause, float(got.get("Retry-After", 0)))
            self.retries += 1
            time.sleep(min(pause, 2) * random.uniform(0.5, 1))
            pause = min(pause * 2, 2)

    def get(self, path, **more):
        return self.call("GET", path, **more).body

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more).body

    def pages(self, path, key):
        """All items of a keyset-paged list."""
        after = None
        while True:
            mark = "&" if "?" in path else "?"
            page = self.get(path + (f"{mark}limit=500" + (f"&after={after}" if after else "")))
            yield from page[key]
            after = page["next"]
            if after is None:
                return
