"""docs/dialects.md names every field of a dialect that is written down, and every dialect that comes with Postrider."""

import json
import re
import unittest

from source import DIALECTS
from template import ROOT, Template

PAGE = (ROOT / "docs" / "dialects.md").read_text()
READER = (ROOT / "shared" / "domain" / "src" / "dialect" / "extra.rs").read_text()


def fields(struct: str) -> set[str]:
    (body,) = re.findall(rf"^struct {struct} {{\n(.*?)^}}", READER, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^    (\w+): ", body, re.MULTILINE))


class Dialects(unittest.TestCase):
    def test_every_field_is_explained_and_no_other(self):
        wanted = fields("Written") - {"signature"} | {f"signature.{name}" for name in fields("WrittenSignature")}
        self.assertGreater(len(wanted), 10, "the fields were not found in the source")
        _, own = PAGE.split("## Your own")
        rows = re.findall(r"^\| (`[^|]+`) \|", own, re.MULTILINE)
        self.assertEqual({name for row in rows for name in re.findall(r"`([^`]+)`", row)}, wanted)

    def test_the_example_has_known_fields_and_fits(self):
        (text,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
        (dialect,) = json.loads(text)
        self.assertLessEqual(set(dialect), fields("Written"))
        self.assertLessEqual(set(dialect["signature"]), fields("WrittenSignature"))
        longest = Template().all["Parameters"]["ExtraDialects"]["MaxLength"]
        self.assertLess(4 * len(json.dumps([dialect])), longest, "a handful should fit")

    def test_every_built_in_dialect_is_in_the_table_with_its_own_words(self):
        header = next(line for line in PAGE.splitlines() if line.startswith("| | `"))
        named = dict(re.findall(r'name: "(\w+)",\s*key_prefix: "(\w+)"', DIALECTS.read_text()))
        self.assertEqual(set(re.findall(r"`(\w+)`", header)), set(named))
        for word in [*named.values(), *re.findall(r'header: "([\w-]+)"', DIALECTS.read_text())]:
            self.assertIn(f"`{word}`", PAGE)


if __name__ == "__main__":
    unittest.main()
