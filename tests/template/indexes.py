"""The global indexes of the tables, as they are and as the last release had them.

CloudFormation adds or removes one global index of a table in an update, and no more: "Cannot perform more than one GSI creation
or deletion in a single update", and all else of that update is rolled back. So from one release to the next a table may differ
by one. With a release's version this writes what the template has into indexes.json."""

import json
import re
import sys
from typing import Any

from template import ROOT, Template

RECORD = ROOT / "tests" / "template" / "indexes.json"
VERSION = re.compile(r"\d+\.\d+\.\d+")
# What says of an index what it is: who changes any of it has another index.
MADE_OF = ("KeySchema", "Projection")

# A table's indexes by name; tables by their logical ids.
Indexes = dict[str, dict[str, Any]]
Tables = dict[str, Indexes]

ADVICE = (
    "CloudFormation makes one change of a table's global indexes in an update. Leave the first of these in the template, "
    "release it, and make the next with the release after; users have to install both, one after the other. For other "
    "keys or another projection give the index another name: one release adds it, the next removes the old one."
)


def indexes(template: Template) -> Tables:
    """The template's."""
    tables = template.of_type("AWS::DynamoDB::Table")
    found = {name: table["Properties"].get("GlobalSecondaryIndexes", []) for name, table in tables.items()}
    return {name: {i["IndexName"]: {part: i[part] for part in MADE_OF} for i in listed} for name, listed in found.items()}


def changes(before: Indexes, now: Indexes) -> list[str]:
    """What an update of one table would have to do, one after another."""
    removed = [f"remove `{name}`" for name in sorted(before.keys() - now.keys())]
    added = [f"add `{name}`" for name in sorted(now.keys() - before.keys())]
    other = sorted(name for name in before.keys() & now.keys() if before[name] != now[name])
    # Such an update is refused even where it is the only one: the old one stands in the new one's place.
    remade = [step for name in other for step in (f"remove `{name}` as it was", f"add `{name}` as it is")]
    return [*removed, *added, *remade]


def too_many(before: Tables, now: Tables) -> list[str]:
    """The tables that differ by more than one change. One that is new comes with all that it has, and one that is gone stays as
    it is, out of the stack."""
    steps = {name: changes(before[name], now[name]) for name in sorted(before.keys() & now.keys())}
    return [f"{name}: {', '.join(each)}. {ADVICE}" for name, each in steps.items() if len(each) > 1]


def record() -> tuple[str | None, Tables]:
    """The last release's version, none before the first, and its indexes."""
    told = json.loads(RECORD.read_text())
    return told["release"], told["tables"]


def released(changelog: str) -> str | None:
    """The newest version that has a heading there."""
    found = re.search(rf"^## v?({VERSION.pattern})\b", changelog, re.MULTILINE)
    return found[1] if found else None


def main() -> None:
    """Records the template's for the release that is being made."""
    if len(sys.argv) != 2 or not VERSION.fullmatch(sys.argv[1]):
        sys.exit(f"usage: {sys.argv[0]} 1.2.3")
    now = indexes(Template())
    if wrong := too_many(record()[1], now):
        sys.exit("\n".join(wrong))
    RECORD.write_text(json.dumps({"release": sys.argv[1], "tables": now}, indent=2) + "\n")


if __name__ == "__main__":
    main()
