"""What the programs say, read from their source: limits and names that the template and the docs must agree with."""

import re

from template import FUNCTIONS, ROOT

DIALECTS = ROOT / "shared" / "domain" / "src" / "dialect.rs"
SECONDS = re.compile(r"const (\w+): Duration = Duration::from_secs\((\d+)\);")
NUMBER = re.compile(r"const (\w+): \w+ = (\d[\d_]*);")


def seconds(path: str, name: str) -> int:
    """A constant of type Duration, in seconds."""
    return int(dict(SECONDS.findall((ROOT / path).read_text()))[name])


def number(path: str, name: str) -> int:
    """A constant that is a plain number."""
    return int(dict(NUMBER.findall((ROOT / path).read_text()))[name].replace("_", ""))


def calendars() -> list[tuple[list[int], int]]:
    """Each dialect's retry delays in seconds, and by how many percent they may stray."""
    units = {"MINUTE": 60, "HOUR": 3600}
    found = re.findall(r"delays: Cow::Borrowed\(&\[(.*?)\]\),\s*jitter_percent: (\d+)", DIALECTS.read_text(), re.DOTALL)
    return [([product(entry, units) for entry in entries.split(",") if entry.strip()], int(jitter)) for entries, jitter in found]


def product(text: str, units: dict[str, int]) -> int:
    """`24 * HOUR` and its like."""
    result = 1
    for factor in text.split("*"):
        result *= units.get(factor.strip()) or int(factor)
    return result


def horizon(delays: list[int], jitter: int) -> int:
    """Seconds that a whole round of attempts can take: the longest delays, and the attempts, our own failures among them."""
    internal = number("shared/domain/src/retry.rs", "MAX_INTERNAL")
    slowest = seconds("shared/domain/src/dialect.rs", "SLOWEST_TIMEOUT")
    return sum(delays) * (100 + jitter) // 100 + (len(delays) + 1 + internal) * slowest


def variants(path: str, kind: str, function: str) -> set[str]:
    """The strings that a method of `kind` can answer, formatted ones with `{...}` as they stand."""
    text = (ROOT / path).read_text()
    implementation = text[text.index(f"impl {kind} {{") :]
    body = implementation[implementation.index(f"fn {function}(") :]
    return set(re.findall(r'"([^"]+)"', body[: body.index("\n    }\n")]))


def emitted_metrics() -> dict[str, set[str]]:
    """Metrics of our own, each with the functions that write it."""
    metrics: dict[str, set[str]] = {}
    shape = re.compile(r'(?:metrics::)?\bemit\(\s*"(\w+)"')
    for source in (ROOT / "functions").rglob("*.rs"):
        for name in shape.findall(source.read_text()):
            metrics.setdefault(name, set()).add(source.relative_to(ROOT / "functions").parts[0])
    # What all functions share, any of them may write.
    for source in (ROOT / "shared").rglob("*.rs"):
        for name in shape.findall(source.read_text()):
            metrics.setdefault(name, set()).update(FUNCTIONS)
    return metrics


def log_lines() -> set[str]:
    """The names of log lines, such as `delivery.attempted`."""
    shape = re.compile(r'"([a-z_]+\.[a-z_]+)"')
    sources = [*(ROOT / "functions").rglob("*.rs"), *(ROOT / "shared").rglob("*.rs")]
    return {name for source in sources for name in shape.findall(source.read_text())}
