"""`make bench-filters`: what the worst filters take of a processor and of memory, into docs/performance.md.

Each case judges an event of 256 KiB by a filter of 100 comparisons, as fan-out does: the event is read once, the filter each
time. Instructions are counted by difference, so that reading the event is in none of them. Needs Valgrind, and no stack."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from counter import Counter
from released import Released
from run_dir import ROOT
from step import Failed, main, say, step

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- make bench-filters -->", "<!-- end -->"
PROGRAM = "judge_filters"
CASES = (
    "typical",
    "numbers",
    "whole numbers and fractions",
    "texts in any case",
    "anything but",
    "wildcards, one long text",
    "wildcards, many texts",
    "objects",
    "absent in objects",
    "lists in lists",
    "alternatives multiplied out",
)
FEW, MANY = 2, 6
# Of a judgement, in millions of instructions, and of all of a process, in megabytes.
MOST_MILLIONS, MOST_MB = 1_500, 32
# Whatever an event's webhooks may be.
WEBHOOKS = 2_000


def run() -> None:
    with step("compile it for release (cargo)"):
        built = ["cargo", "build", "--workspace", "--release", "--example", PROGRAM]
        if subprocess.run(built, cwd=ROOT, check=False).returncode != 0:
            raise Failed("it does not compile")
    program = Released().programs / "examples" / PROGRAM
    counter = Counter(ROOT / "target" / "bench" / "filters")
    rows = {}
    with step(f"judge {len(CASES)} cases under Valgrind"):
        for case in CASES:
            few, many = (_counted(counter, program, case, times) for times in (FEW, MANY))
            rows[case] = ((many - few) / (MANY - FEW) / 1e6, _peak_mb(program, case))
    table = _table(rows)
    say(table)
    text = PAGE.read_text()
    begin = text.index(BEGIN)
    PAGE.write_text(text[:begin] + f"{BEGIN}\n{table}\n" + text[text.index(END, begin) :])
    beyond = [case for case, (millions, peak) in rows.items() if millions > MOST_MILLIONS or peak > MOST_MB]
    if beyond:
        raise Failed(f"a judgement takes more than {MOST_MILLIONS} million instructions or {MOST_MB} MB: {'; '.join(beyond)}")


def _counted(counter: Counter, program: Path, case: str, times: int) -> int:
    count = counter.count("filters")
    subprocess.run([*count.command, str(program), case, str(times)], check=True, capture_output=True)
    return count.read()


def _peak_mb(program: Path, case: str) -> float:
    """Resident at the most, as it says itself."""
    done = subprocess.run([str(program), case, "1"], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 1024


def _table(rows: dict[str, tuple[float, float]]) -> str:
    judgement, webhooks = "millions of instructions a judgement", f"billions for {WEBHOOKS:,} webhooks"
    head = ["100 comparisons of", judgement, webhooks, "MB of the process"]
    lines = [head, ["---"] * len(head)]
    for case, (millions, peak) in rows.items():
        lines.append([case, f"{millions:,.2f}", f"{millions * WEBHOOKS / 1000:,.1f}", f"{peak:.0f}"])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main(run)
