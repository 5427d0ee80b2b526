"""What no value tells, so that only the sources' text does: who calls what with which name. A metric's writer and a setting's
reader are calls; a log line's name stands in the call itself, where tracing wants it."""

import re
from collections.abc import Iterator

from template import FUNCTIONS, ROOT

METRIC = re.compile(r"\bMetric::(\w+)")
LINE = re.compile(r'\btracing::\w+!\([^;]*?"([a-z_]+\.[a-z_]+)"\s*\)')
TESTS = re.compile(r"^#\[cfg\(test\)\]\n(?:pub\(crate\) )?mod tests \{", re.MULTILINE)
SETTING = re.compile(r'\bvar\("([A-Z_]+)"\)')


def metrics() -> dict[str, set[str]]:
    """Metrics of our own, each with the functions that write it. What all functions share, any of them may write."""
    writers: dict[str, set[str]] = {}
    for crate, text in programs():
        for name in METRIC.findall(text):
            writers.setdefault(name, set()).update({crate} if crate in FUNCTIONS else FUNCTIONS)
    return writers


def log_lines() -> set[str]:
    """The names of log lines, such as `delivery.attempted`."""
    return {name for _, text in programs() for name in LINE.findall(text)}


def settings() -> set[str]:
    """The environment variables that the programs read. `AWS_...` and `_X_AMZN_...` are Lambda's own."""
    read = {name for _, text in programs() for name in SETTING.findall(text)}
    return {name for name in read if not name.startswith(("AWS_", "_X_AMZN_"))}


def programs() -> Iterator[tuple[str, str]]:
    """Each file that does something, without its tests, by its crate. The domain does nothing: it is asked."""
    for crates in ("functions/*", "shared/host", "shared/aws", "shared/api"):
        for path in ROOT.glob(f"{crates}/src/**/*.rs"):
            if path.stem != "tests":
                yield path.relative_to(ROOT).parts[1], TESTS.split(path.read_text())[0]
