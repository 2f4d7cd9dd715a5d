"""The figures of a run: what was compared, whether it adds up, and the table at the end."""
import json


class Figures:
    def __init__(self):
        self.values, self.wrong, self.compared = {}, [], 0

    def equal(self, name, got, want):
        self.compared += 1
        if got != want:
            self.wrong.append(f"{name}: {got!r}, and should be {want!r}")

    def true(self, name, condition, why):
        self.compared += 1
        if not condition:
            self.wrong.append(f"{name}: {why}")

    def put(self, name, value):
        self.values[name] = value

    def table(self):
        width = max(map(len, self.values))
        return "\n".join(f"{name:<{width}}  {_text(value)}" for name, value in self.values.items())

    def save(self, path):
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"figures": self.values, "compared": self.compared, "wrong": self.wrong}, f, indent=1)
            f.write("\n")


def _text(value):
    if isinstance(value, dict):
        return "  ".join(f"{k} {v:,}" for k, v in value.items() if v) or "none"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
