"""Many people on two servers that are killed at random: what was recorded breaks no rule. STORM_SEED and STORM_OPERATIONS choose another
storm; `./check sim` runs the long one."""
import storm


def test_no_rule_is_broken(recorded):
    report, attempts, state = recorded
    print(report)
    assert report["problems"] == [] and report["rules"] == [] and "500" not in report, report
    found = storm.history.check(attempts, state)
    assert found == [], report


def test_it_was_a_storm(recorded):
    """Enough of everything, or the test above says nothing."""
    report, attempts, state = recorded
    assert report["operations"] >= 0.95 * int(storm.os.environ.get("STORM_OPERATIONS", "8000")) and report["people"] == 200
    assert report["kill"] >= 3 and report["unknown"] >= report["operations"] / 100
    assert report["ok"] > report["operations"] / 2
    assert {a["op"] for a in attempts if a["status"] == 200} >= set(storm.ANSWERED)
    assert {e["action"] for e in state["events"]} >= set(storm.RECORDED)
    assert any(a.get("foreign") for a in attempts) and any(a["status"] == 422 for a in attempts)
