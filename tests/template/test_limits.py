"""docs/limits.md has every bound of the programs and the template, with its value, and none that does not exist."""

import re
import unittest

from bounds import bounds
from facts import facts
from pages import Row, table, words

PAGE = "docs/limits.md"
QUOTAS, LIMITS, OTHERS = "Quotas by plan", "All of them", "Numbers that bound nothing"
UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "ms": 0.001, "s": 1, "min": 60, "h": 3600, "day": 86_400, "days": 86_400}
VALUE = re.compile(rf"([\d,.]+)(?: ({'|'.join(UNITS)}))?")
NONE = "none"
# Where a setting means that there is no bound, as AWS writes it.
UNBOUNDED = (-1, float("inf"))


def value(text: str) -> float | None:
    """What a cell says, in seconds or bytes where it has a unit."""
    if text == NONE:
        return None
    found = VALUE.fullmatch(text)
    assert found, f"{text!r} is neither `{NONE}` nor a number, with one of these units or with none: {', '.join(UNITS)}"
    return float(found[1].replace(",", "")) * UNITS.get(found[2], 1)


def rows() -> dict[str, Row]:
    """Without those that only say what comes below them."""
    return {name: row for name, row in table(PAGE, LIMITS).items() if not name.startswith("**")}


def quotas() -> dict[str, tuple[str, float | None]]:
    """What each plan's column says, with its row, by the name of the bound: `quotas.free.webhooks`."""
    found: dict[str, tuple[str, float | None]] = {}
    for name, row in table(PAGE, QUOTAS).items():
        (where,) = words(row["where"])
        kind, _, quota = where.partition(".")
        found |= {f"{kind}.{plan}.{quota}": (name, value(row[plan])) for plan in facts()["quotas"]}
    return found


def complaints(row: Row, known: dict[str, float]) -> list[str]:
    """What is wrong with one row."""
    named = words(row["where"])
    told = [value(cell) for cell in row["value"].split(" / ")]
    wrong = [f"`{name}` is no bound of anything" for name in named if name not in known]
    if wrong or not named:
        return wrong or ["it names nothing that holds it to its value"]
    if len(told) > 1 and len(told) != len(named):
        return [f"{len(told)} values and {len(named)} names"]
    for name, said in zip(named, told * (len(named) if len(told) == 1 else 1), strict=True):
        there = None if known[name] in UNBOUNDED else known[name]
        if there is None or said is None:
            wrong += [] if there is said else [f"`{name}` is {known[name]:g}"]
        elif abs(there - said) > 1e-9 * abs(there):
            wrong.append(f"`{name}` is {there:,g}")
    return wrong + [f"{name} is empty" for name in ("beyond it", "to raise it") if not row[name]]


class Limits(unittest.TestCase):
    maxDiff = None

    def test_each_row_has_the_value_that_holds(self):
        known = bounds()
        wrong = {name: said for name, row in rows().items() if (said := complaints(row, known))}
        self.assertEqual(wrong, {}, PAGE)

    def test_each_plan_gives_what_its_column_says(self):
        known = bounds()
        wrong = {name: f"{row!r} is {known.get(name)}" for name, (row, said) in quotas().items() if said != known.get(name)}
        self.assertEqual(wrong, {}, f"{PAGE}, {QUOTAS!r}")

    def test_each_bound_has_its_row(self):
        named = [name for row in rows().values() for name in words(row["where"])]
        others = [name for cell in table(PAGE, OTHERS) for name in words(cell)]
        missing = sorted(bounds().keys() - {*named} - {*others} - quotas().keys())
        wrong = [f"{PAGE}, {LIMITS!r}: a row for `{name}`, which is {bounds()[name]:,g}" for name in missing]
        wrong += [f"{PAGE}: `{name}` stands there twice" for name in sorted({n for n in named if (named + others).count(n) > 1})]
        wrong += [f"{PAGE}, {OTHERS!r}: `{name}` is no number of anything" for name in others if name not in bounds()]
        self.assertEqual(wrong, [])


class Reading(unittest.TestCase):
    """What a wrong row would look like."""

    def complaints(self, said: str, where: str) -> list[str]:
        known = {"a::B": 4096.0, "a::C": 3.0, "a::D": float("inf")}
        return complaints({"value": said, "where": where, "beyond it": "400", "to raise it": "constant"}, known)

    def test_a_value_is_compared_in_its_unit(self):
        self.assertEqual(self.complaints("4 KiB", "`a::B`"), [])
        self.assertEqual(self.complaints("4 KiB / 3 s", "`a::B`, `a::C`"), [])
        self.assertEqual(self.complaints("4", "`a::B`"), ["`a::B` is 4,096"])
        self.assertEqual(self.complaints("3 min", "`a::C`"), ["`a::C` is 3"])

    def test_all_names_of_a_row_have_its_value(self):
        self.assertEqual(self.complaints("3 s", "`a::B`, `a::C`"), ["`a::B` is 4,096"])

    def test_what_does_not_exist_is_told(self):
        self.assertEqual(self.complaints("3", "`a::GONE`"), ["`a::GONE` is no bound of anything"])
        self.assertEqual(self.complaints("3", "by convention"), ["it names nothing that holds it to its value"])

    def test_none_is_none(self):
        self.assertEqual(self.complaints("none", "`a::D`"), [])
        self.assertEqual(self.complaints("none", "`a::C`"), ["`a::C` is 3"])
        self.assertEqual(self.complaints("3", "`a::D`"), ["`a::D` is inf"])


if __name__ == "__main__":
    unittest.main()
