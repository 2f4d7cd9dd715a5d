"""What the tests of releases share: ordering one, and its export."""
from kit import until


def release(desk, name="r1", **more):
    """Orders a release and waits till it is built."""
    made = desk("manager").ok("POST", f"{desk.path}/releases", 202, json={"name": name, **more})
    assert made["state"] == "building" and made["root"] is None

    def state():
        return desk("viewer").ok("GET", f"/v1/releases/{made['id']}")
    until(lambda: state()["state"] != "building", 20, "it is not built")
    return state()


def export(desk, built, kind="jsonl"):
    answer = desk("manager").get(f"/v1/releases/{built['id']}/export?format={kind}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return answer.content


def finish(desk, count, value="cat"):
    """Works off so many tasks, all by "annotator"."""
    for work in desk.claims("annotator", count=count):
        desk.submit("annotator", work, value)
